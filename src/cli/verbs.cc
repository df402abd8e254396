#include "cli/verbs.h"

#include <functional>

#include "app/check_files.h"
#include "app/find_model.h"
#include "app/folder_owner.h"
#include "app/models/prepare_target.h"
#include "app/process_limits.h"
#include "app/program.h"
#include "app/service/service_notify.h"
#include "cli/operator_verbs.h"
#include "cli/read_sources.h"
#include "config/document.h"
#include "config/settings.h"
#include "llm/backend_names.h"
#include "llm/llama/llama_backend.h"
#include "llm/llama/prepare_model.h"
#include "telemetry/build_info.h"
#include "telemetry/log.h"

namespace tars::cli {
namespace {

Result<config::Loaded> load_options(const Command& command) {
  Result<config::Sources> sources = read_sources(command);
  if (!sources) return sources.error();
  return config::load(*sources);
}

// With those that a start would log. Before anything is made, the log's file too: of root's in the
// folder of a service that cannot read them.
Result<config::Loaded> load_for_start(const Command& command) {
  Result<config::Loaded> loaded = load_options(command);
  if (!loaded) return loaded;
  if (auto owner = app::check_owner(loaded->settings.data_dir); !owner) return owner.error();
  if (auto warning = app::open_folder_warning(loaded->settings.data_dir)) {
    loaded->warnings.push_back(*std::move(warning));
  }
  for (std::string& warning : app::file_warnings(loaded->settings)) {
    loaded->warnings.push_back(std::move(warning));
  }
  return loaded;
}

// The default model's failure ends the program, which says why.
app::OpenBackend embedded_opener(bool is_default) {
  std::function<void(const Error&)> tell;
  if (!is_default) {
    tell = [](const Error& error) {
      telemetry::log(telemetry::LogLevel::error, "the model of MODEL_PATH cannot be loaded",
                     {{"cause", error.message}});
    };
  }
  return [tell](const llm::LlamaOptions& options, const Clock& clock, telemetry::Metrics& metrics) {
    return llm::open_llama_backend(options, clock, metrics, tell);
  };
}

Result<void> serve(const Command& command, std::ostream& out) {
  app::prepare_process();
  const app::ServiceNotify notify = app::ServiceNotify::from_environment();
  Result<config::Loaded> loaded = load_for_start(command);
  if (!loaded) return loaded.error();
  config::Settings& settings = loaded->settings;
  telemetry::configure_log(settings.log_level, settings.log_format);
  if (!settings.log_file.empty()) {
    if (auto opened = telemetry::open_log_file(settings.log_file); !opened) return opened.error();
  }
  for (const std::string& warning : loaded->warnings) {
    telemetry::log(telemetry::LogLevel::warning, warning);
  }
  if (auto files = app::check_files(settings); !files) return files;
  if (settings.embedded) {
    Result<std::filesystem::path> model = app::find_model(settings);
    if (!model) return model.error();
    settings.llm.model_path = *model;
  }
  const app::OpenBackend open_embedded =
      embedded_opener(settings.api.backend == llm::kEmbeddedBackend);
  Result<std::unique_ptr<app::Program>> program =
      app::Program::build(std::move(settings), open_embedded);
  if (!program) return program.error();
  return (*program)->run(out, notify);
}

Result<void> check(const Command& command, std::ostream& out, std::ostream& err) {
  Result<config::Loaded> loaded = load_for_start(command);
  if (!loaded) return loaded.error();
  if (auto files = app::check_files(loaded->settings); !files) return files;
  if (auto state = app::check_state(loaded->settings); !state) return state;
  if (auto model = app::check_model(loaded->settings); !model) return model;
  if (auto address = app::check_address(loaded->settings); !address) return address;
  out << config::effective_options(loaded->values) << std::flush;
  for (const std::string& warning : loaded->warnings) err << "warning: " << warning << "\n";
  return {};
}

Result<void> prepare(const Command& command) {
  auto target = app::check_prepare_target(command.input, command.output, command.force);
  if (!target) return target;
  return llm::requantize(command.input, command.output, command.format);
}

}  // namespace

Result<void> execute(const Command& command, std::ostream& out, std::ostream& err) {
  switch (command.verb) {
    case Verb::serve: return serve(command, out);
    case Verb::config_check: return check(command, out, err);
    case Verb::config_doc: out << config::options_markdown() << std::flush; return {};
    case Verb::config_env: out << config::options_dotenv() << std::flush; return {};
    case Verb::version:
      out << "tars " << telemetry::version() << " (" << telemetry::compiler() << ")" << std::endl;
      return {};
    case Verb::model_prepare: return prepare(command);
    case Verb::help: out << command.text << std::flush; return {};
    default: break;
  }
  Result<config::Loaded> loaded = load_options(command);
  if (!loaded) return loaded.error();
  const config::Settings& settings = loaded->settings;
  switch (command.verb) {
    case Verb::token: return make_token(command, settings, out, err);
    case Verb::devices_list: return list_devices(command, settings, out);
    case Verb::devices_revoke: return revoke_device(command, settings, out);
    case Verb::model_list: return show_models(command, settings, out);
    case Verb::model_pull: return pull(command, settings, out, err);
    case Verb::backup: return back_up(command, settings, out);
    case Verb::restore: return restore(command, settings, out);
    default: return make_error(ErrorCode::internal, "a verb without a deed");
  }
}

}  // namespace tars::cli
