#include "cli/operator_verbs.h"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "api/json_writer.h"
#include "app/backup/backup.h"
#include "app/backup/restore.h"
#include "app/control/ask_holder.h"
#include "app/models/model_list.h"
#include "app/models/progress_bar.h"
#include "app/models/pull_model.h"
#include "app/open_secrets.h"
#include "app/text_table.h"
#include "base/clock.h"

namespace tars::cli {
namespace {

using app::ControlRequest;
using app::ListedFamily;

// Page by page.
Result<std::vector<ListedFamily>> all_families(const std::string& client_id,
                                               const config::Settings& settings) {
  std::vector<ListedFamily> out;
  ControlRequest request{.what = ControlRequest::What::families};
  request.query.client_id = client_id;
  request.query.limit = app::kControlPage;
  while (true) {
    Result<app::HolderAnswer> page = app::ask_holder(settings, request);
    if (!page) return page.error();
    std::vector<ListedFamily>& families = page->answer.families;
    const bool last = families.size() < app::kControlPage;
    std::ranges::move(families, std::back_inserter(out));
    if (last) return out;
    request.query.after = out.back().device.family;
  }
}

std::string families_json(const std::vector<ListedFamily>& families) {
  std::string out;
  api::JsonWriter json(out);
  json.begin_object().begin_array("items");
  for (const auto& [device, sockets] : families) {
    json.begin_object();
    json.field("sid", device.family);
    json.field("client_id", device.client_id);
    json.field("device_name", device.device_name);
    json.field("device_type", device.device_type);
    json.field("created_at", format_rfc3339(device.created_at));
    json.field("last_seen_at", format_rfc3339(device.last_seen_at));
    json.field("sockets", sockets);
    json.end_object();
  }
  json.end_array().end_object();
  return out + "\n";
}

// To the second is enough for people.
std::string seconds_of(WallTime time) {
  return format_rfc3339(std::chrono::floor<std::chrono::seconds>(time)).substr(0, 19) + "Z";
}

// What a shell makes of a variable that is not set.
Error empty(const std::string& argument) {
  return make_error(ErrorCode::config_error, argument + " is empty; see tars --help");
}

// Where no server answered, the folder may be the wrong one, and its tokens good for nothing.
void tell_holder(app::Holder holder, const std::filesystem::path& folder, std::ostream& err) {
  switch (holder) {
    case app::Holder::server: return;
    case app::Holder::nobody:
      err << "no server runs on " << folder.string() << ": the tokens are for the next one there\n";
      return;
    case app::Holder::nobody_yet:
      err << "no server has used " << folder.string()
          << " yet: where yours has another TARS_DATA_DIR, set it and make the tokens again\n";
      return;
  }
}

bool holds_secret(const app::Manifest& manifest) {
  return std::ranges::any_of(
      manifest.files, [](const app::BackupFile& file) { return file.name == app::kSecretFile; });
}

}  // namespace

Result<void> make_token(const Command& command, const config::Settings& settings, std::ostream& out,
                        std::ostream& err) {
  ControlRequest request{.what = ControlRequest::What::issue};
  request.enroll.client_id = command.client_id;
  request.enroll.device_name = command.device_name;
  request.enroll.device_type = command.device_type;
  const Result<app::HolderAnswer> held = app::ask_holder(settings, request);
  if (!held) return held.error();
  const std::optional<app::IssuedPair>& pair = held->answer.pair;
  if (!pair) return make_error(ErrorCode::internal, "the answer holds no tokens");
  tell_holder(held->holder, settings.data_dir, err);
  const auto& [tokens, family] = *pair;
  if (command.json) {
    std::string text;
    api::JsonWriter json(text);
    json.begin_object();
    json.field("access_token", tokens.access_token);
    json.field("refresh_token", tokens.refresh_token);
    json.field("token_type", "bearer");
    json.field("expires_in", tokens.expires_in.count());
    json.field("client_id", command.client_id);
    json.field("sid", family);
    json.end_object();
    out << text << std::endl;
  } else {
    out << "access_token   " << tokens.access_token << "\n"
        << "refresh_token  " << tokens.refresh_token << "\n"
        << "expires_in     " << tokens.expires_in.count() << " s (refresh it before)\n"
        << "sid            " << family << " (tars devices revoke ends both)" << std::endl;
  }
  return {};
}

Result<void> list_devices(const Command& command, const config::Settings& settings,
                          std::ostream& out) {
  const Result<std::vector<ListedFamily>> families = all_families(command.client_id, settings);
  if (!families) return families.error();
  if (command.json) {
    out << families_json(*families) << std::flush;
    return {};
  }
  app::TextTable table({"SID", "CLIENT", "DEVICE", "TYPE", "CREATED", "LAST SEEN", "SOCKETS"});
  for (const auto& [device, sockets] : *families) {
    table.add({device.family, device.client_id, device.device_name, device.device_type,
               seconds_of(device.created_at), seconds_of(device.last_seen_at),
               std::to_string(sockets)});
  }
  out << table.text() << std::flush;
  return {};
}

Result<void> revoke_device(const Command& command, const config::Settings& settings,
                           std::ostream& out) {
  if (command.sid.empty()) return empty("SID");
  ControlRequest request{.what = ControlRequest::What::revoke};
  request.family = command.sid;
  const Result<app::HolderAnswer> answer = app::ask_holder(settings, request);
  if (!answer) return answer.error();
  out << "revoked " << command.sid << std::endl;
  return {};
}

Result<void> show_models(const Command& command, const config::Settings& settings,
                         std::ostream& out) {
  const ControlRequest request{.what = ControlRequest::What::status};
  Result<app::ControlAnswer> answer = app::ask_running(settings.data_dir, request);
  // Without a server there is none to ask; one that cannot be asked is an error.
  if (!answer && answer.error().code != ErrorCode::not_found) return answer.error();
  const std::optional<app::RunningServer> running =
      answer ? std::move(answer->server) : std::nullopt;
  const auto models = app::list_models(settings, running);
  const std::string device = app::model_device(settings, running);
  out << (command.json ? app::models_json(models, device) : app::models_text(models, device))
      << std::flush;
  return {};
}

Result<void> pull(const Command& command, const config::Settings& settings, std::ostream& out,
                  std::ostream& err) {
  if (command.input.empty()) return empty("SOURCE");
  app::ProgressBar::Columns columns;
  if (app::can_redraw(STDERR_FILENO)) {
    columns = [] { return app::terminal_columns(STDERR_FILENO); };
  }
  app::ProgressBar bar(err, columns);
  app::DownloadOptions options;
  options.client.ca_file = settings.upstream_ca_file;
  const Result<app::PulledModel> pulled =
      app::pull_model(settings,
                      {.source = command.input,
                       .name = command.name,
                       .sha256 = command.sha256,
                       .replace = command.force},
                      options, [&bar](const app::Progress& progress) { bar.show(progress); });
  bar.finish();
  if (!pulled) return pulled.error();
  const std::string path = pulled->path.string();
  out << path << (pulled->was_there ? " is there already" : " is there") << "\n"
      << "sha256 " << pulled->sha256 << "\n";
  switch (pulled->summary.use) {
    case llm::ModelUse::chat:
      out << "use it: tars serve --model-path '" << path << "', or MODEL_PATH=" << path << "\n";
      break;
    case llm::ModelUse::embedding:
      out << "it is an embedding model, and cannot chat: this version has no use for it\n";
      break;
    case llm::ModelUse::none:
      out << "it has no chat template, so the server cannot chat with it\n";
      break;
  }
  out << std::flush;
  return {};
}

Result<void> back_up(const Command& command, const config::Settings& settings, std::ostream& out) {
  if (command.output.empty()) return empty("PATH");
  const SystemClock clock;
  const Result<app::Manifest> manifest = app::back_up(settings.data_dir, command.output, clock);
  if (!manifest) return manifest.error();
  for (const app::BackupFile& file : manifest->files) {
    out << file.name << "  " << file.bytes << " bytes  sha256 " << file.sha256 << "\n";
  }
  out << "backed up " << settings.data_dir.string() << " to " << command.output << "\n";
  if (!settings.make_secret_key) {
    out << "not in it: JWT_SECRET_KEY, which is set from outside; tokens need it, keep it too\n";
  } else if (!holds_secret(*manifest)) {
    out << "not in it: " << app::kSecretFile << ", which the folder has not; keep the server's "
        << "JWT_SECRET_KEY too, or without one restart it, which makes a new secret\n";
  }
  out << std::flush;
  return {};
}

Result<void> restore(const Command& command, const config::Settings& settings, std::ostream& out) {
  if (command.input.empty()) return empty("PATH");
  const Result<app::Restored> restored =
      app::restore(command.input, settings.data_dir, command.force);
  if (!restored) return restored.error();
  out << "restored " << settings.data_dir.string() << " as it was at "
      << seconds_of(restored->manifest.created_at) << "\n"
      << "tokens that were revoked since then are good again: revoke them anew, or change "
         "JWT_SECRET_KEY\n";
  if (!holds_secret(restored->manifest)) {
    out << "the backup holds no secret: set JWT_SECRET_KEY to the one that was used\n";
  }
  if (!restored->dropped.empty()) {
    out << "deleted, as the backup has none: " << restored->dropped << "\n";
  }
  out << std::flush;
  return {};
}

}  // namespace tars::cli
