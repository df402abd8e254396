#include "app/models/model_list.h"

#include <algorithm>
#include <iomanip>
#include <set>
#include <sstream>
#include <system_error>

#include "api/json_writer.h"
#include "app/find_model.h"
#include "app/models/remote_models.h"
#include "app/text_table.h"
#include "base/utf8.h"
#include "llm/backend_names.h"
#include "llm/llama/devices.h"
#include "llm/llama/gguf_check.h"
#include "llm/remote/host_set.h"
#include "llm/remote/ollama_dialect.h"
#include "llm/remote/openai_dialect.h"
#include "llm/routing_backend.h"

namespace tars::app {
namespace {

namespace fs = std::filesystem;

std::string word(llm::ModelUse use) {
  switch (use) {
    case llm::ModelUse::chat: return "chat";
    case llm::ModelUse::embedding: return "embedding";
    case llm::ModelUse::none: break;
  }
  return "none";
}

// Where weights are looked for, each file once, in the order of preference. A server that runs may
// have been told of others.
std::vector<fs::path> model_files(const config::Settings& settings,
                                  const std::optional<RunningServer>& running) {
  std::vector<fs::path> found;
  if (running && !running->model_path.empty()) found.emplace_back(running->model_path);
  if (!settings.llm.model_path.empty()) found.push_back(settings.llm.model_path);
  for (const fs::path& candidate : settings.model_candidates) {
    std::error_code error;
    std::vector<fs::path> here;
    for (const auto& entry : fs::directory_iterator(candidate.parent_path(), error)) {
      if (entry.path().extension() == ".gguf") here.push_back(entry.path());
    }
    std::ranges::sort(here);
    found.insert(found.end(), here.begin(), here.end());
  }
  std::vector<fs::path> out;
  std::set<fs::path> seen;
  for (const fs::path& path : found) {
    std::error_code error;
    if (seen.insert(fs::weakly_canonical(path, error)).second) out.push_back(path);
  }
  return out;
}

bool same_file(const fs::path& a, const fs::path& b) {
  std::error_code error;
  return fs::equivalent(a, b, error);
}

// Of the running server, else what a start would take; empty = there is none.
fs::path file_in_use(const config::Settings& settings,
                     const std::optional<RunningServer>& running) {
  if (running) return running->model_path;
  if (!settings.embedded) return {};
  const Result<fs::path> found = find_model(settings);
  return found ? *found : fs::path();
}

ListedModel describe_file(const fs::path& path, const fs::path& used) {
  ListedModel out{.name = path.stem().string(),
                  .where = path.string(),
                  .backend = llm::kEmbeddedBackend,
                  .use = {},
                  .format = {}};
  const Result<llm::ModelSummary> summary = llm::summarize_model_file(path);
  if (summary) {
    out.use = word(summary->use);
    out.format = summary->format;
    out.bytes = summary->bytes;
  } else {
    out.trouble = summary.error().message;
  }
  out.in_use = !used.empty() && same_file(path, used);
  return out;
}

std::string addresses(const llm::RemoteOptions& options) {
  std::string out;
  for (const net::Endpoint& host : options.hosts) out += (out.empty() ? "" : " ") + host.url();
  return out;
}

// The model that this backend answers with when a request names none.
std::string default_model(const std::string& backend, const llm::RemoteOptions& options,
                          const std::vector<std::string>& names,
                          const std::optional<RunningServer>& running) {
  if (running) {
    for (const RunningBackend& of : running->backends) {
      if (of.name == backend) return of.model;
    }
    return {};
  }
  if (!options.model.empty()) return options.model;
  return names.empty() ? std::string() : names.front();
}

void add_remote(const std::string& backend, const llm::RemoteOptions& options,
                const llm::Dialect& dialect, const std::optional<RunningServer>& running,
                std::vector<ListedModel>& out) {
  ListedModel model{.name = options.model,
                    .where = addresses(options),
                    .backend = backend,
                    .use = {},
                    .format = {}};
  const Result<std::vector<std::string>> names = remote_models(options, dialect);
  if (!names) {
    model.trouble = names.error().message;
    out.push_back(model);
    return;
  }
  const std::string used = default_model(backend, options, *names, running);
  // A running server may have no such backend: then nothing of it is wrong.
  bool listed = running && used.empty() && !names->empty();
  for (const std::string& name : *names) {
    model.name = name;
    model.in_use = !used.empty() && llm::is_named(name, used);
    listed = listed || model.in_use;
    out.push_back(model);
  }
  if (listed) return;
  model.name = used;
  model.in_use = false;
  model.trouble = used.empty() ? "the server at " + model.where + " lists no models: add one there"
                               : "the server at " + model.where + " does not list " + used;
  out.push_back(model);
}

// What the running server answers from, and these settings do not know: without its address nothing
// more is to be found out.
void add_running(const config::Settings& settings, const RunningServer& running,
                 std::vector<ListedModel>& out) {
  for (const RunningBackend& backend : running.backends) {
    const bool known = backend.name == llm::kEmbeddedBackend ||
                       (backend.name == llm::kOllamaBackend && settings.ollama) ||
                       (backend.name == llm::kOpenAiBackend && settings.openai);
    if (known) continue;
    out.push_back({.name = backend.model,
                   .where = "the running server's",
                   .backend = backend.name,
                   .use = {},
                   .format = {},
                   .in_use = !backend.model.empty()});
  }
}

// Of the running server, else what a start would open; the default first.
std::vector<std::string> backend_names(const config::Settings& settings,
                                       const std::optional<RunningServer>& running) {
  std::vector<std::string> out;
  if (running) {
    for (const RunningBackend& backend : running->backends) out.push_back(backend.name);
  }
  // A server that has not said so.
  if (!out.empty()) return out;
  out.push_back(settings.api.backend);
  if (settings.embedded) out.emplace_back(llm::kEmbeddedBackend);
  if (settings.ollama) out.emplace_back(llm::kOllamaBackend);
  if (settings.openai) out.emplace_back(llm::kOpenAiBackend);
  return out;
}

}  // namespace

std::vector<ListedModel> list_models(const config::Settings& settings,
                                     const std::optional<RunningServer>& running) {
  std::vector<ListedModel> out;
  const fs::path used = file_in_use(settings, running);
  for (const fs::path& path : model_files(settings, running)) {
    out.push_back(describe_file(path, used));
  }
  if (settings.ollama) {
    add_remote(llm::kOllamaBackend, *settings.ollama, *llm::make_ollama_dialect(0), running, out);
  }
  if (settings.openai) {
    add_remote(llm::kOpenAiBackend, *settings.openai,
               *llm::make_openai_dialect(settings.openai->api_key), running, out);
  }
  if (running) add_running(settings, *running, out);
  const std::vector<std::string> backends = backend_names(settings, running);
  for (ListedModel& model : out) {
    // Of the files only the one in use answers.
    if (model.backend == llm::kEmbeddedBackend && !model.in_use) continue;
    model.model = llm::sent_name(model.name, model.backend, backends);
  }
  return out;
}

std::string model_device(const config::Settings& settings,
                         const std::optional<RunningServer>& running) {
  if (running) return running->device;
  if (!settings.embedded) return {};
  const std::string out = llm::describe(llm::list_devices());
  return out.empty() ? "CPU" : out;
}

std::string models_json(const std::vector<ListedModel>& models, const std::string& device) {
  std::string out;
  api::JsonWriter json(out);
  json.begin_object().begin_array("items");
  for (const ListedModel& model : models) {
    json.begin_object();
    json.field("name", replace_invalid_utf8(model.name));
    json.field("model", replace_invalid_utf8(model.model));
    json.field("backend", model.backend);
    json.field("where", replace_invalid_utf8(model.where));
    json.field("use", model.use);
    json.field("format", model.format);
    if (model.bytes) {
      json.field("bytes", *model.bytes);
    } else {
      json.field("bytes", nullptr);
    }
    json.field("in_use", model.in_use);
    json.field("trouble", replace_invalid_utf8(model.trouble));
    json.end_object();
  }
  json.end_array();
  json.field("device", replace_invalid_utf8(device));
  json.end_object();
  return out + "\n";
}

std::string models_text(const std::vector<ListedModel>& models, const std::string& device) {
  if (models.empty()) return "no models; fetch one with tars model pull URL\n";
  TextTable table({"", "NAME", "SIZE", "FORMAT", "USE", "WHERE"});
  std::string troubles;
  for (const ListedModel& model : models) {
    std::ostringstream size;
    if (model.bytes) {
      size << std::fixed << std::setprecision(1) << static_cast<double>(*model.bytes) / 1e6
           << " MB";
    }
    const bool well = model.trouble.empty();
    table.add({model.in_use ? "*" : "", model.model.empty() ? model.name : model.model, size.str(),
               model.format, well ? model.use : "unusable",
               model.backend == llm::kEmbeddedBackend ? model.where
                                                      : model.backend + " at " + model.where});
    if (!well) troubles += "unusable: " + model.trouble + "\n";
  }
  const std::string on = device.empty() ? "" : "device: " + device + "\n";
  return table.text() + "* = in use\n" + on + troubles;
}

}  // namespace tars::app
