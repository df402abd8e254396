#include "app/check_files.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "app/backup/restore.h"
#include "app/find_model.h"
#include "app/open_secrets.h"
#include "config/open_to_others.h"
#include "llm/llama/gguf_check.h"
#include "net/client/http_client.h"
#include "net/io/listener.h"
#include "net/io/tls_context.h"
#include "store/check_database.h"
#include "store/database.h"
#include "store/writable_folder.h"

namespace tars::app {
namespace {

Result<void> check_log_file(const std::filesystem::path& path) {
  if (path.empty()) return {};
  std::error_code error;
  std::error_code missing;
  if (!std::filesystem::exists(path, missing)) {
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
    // Its folder is not made.
    error = std::filesystem::exists(folder, missing)
                ? store::check_writable_folder(folder)
                : std::make_error_code(std::errc::no_such_file_or_directory);
  } else if (std::filesystem::is_directory(path, missing)) {
    error = std::make_error_code(std::errc::is_a_directory);
  } else if (::access(path.c_str(), W_OK) != 0) {
    error.assign(errno, std::generic_category());
  }
  if (!error) return {};
  return make_error(ErrorCode::config_error,
                    "LOG_FILE: " + path.string() + " cannot be written (" + error.message() +
                        "); make it writable, or unset LOG_FILE for stderr");
}

}  // namespace

Result<void> check_files(const config::Settings& settings) {
  if (auto folder = store::FolderLock::check(settings.data_dir); !folder) return folder;
  if (auto log = check_log_file(settings.log_file); !log) return log;
  if (settings.embedded && !settings.llm.model_path.empty()) {
    if (const auto model = find_model(settings); !model) return model.error();
  }
  if (!settings.server.tls_certificate.empty()) {
    const auto tls =
        net::TlsContext::load({settings.server.tls_certificate, settings.server.tls_key});
    if (!tls) return tls.error();
  }
  if (settings.upstream_ca_file.empty()) return {};
  const auto trusted = net::check_ca_file(settings.upstream_ca_file);
  if (trusted) return {};
  return make_error(ErrorCode::config_error, "UPSTREAM_CA_FILE: " + settings.upstream_ca_file +
                                                 " holds no certificates (" +
                                                 trusted.error().message +
                                                 "); set it to a PEM file that this user may read");
}

Result<void> check_state(const config::Settings& settings) {
  // A restore that waits takes the place of what is there.
  if (restore_is_pending(settings.data_dir)) return {};
  if (auto secrets = check_secrets(settings); !secrets) return secrets;
  for (const char* name : {"auth.db", "chat.db"}) {
    if (auto good = store::check_database(settings.data_dir / name); !good) return good;
  }
  return {};
}

std::vector<std::string> file_warnings(const config::Settings& settings) {
  std::vector<std::string> out;
  if (settings.server.tls_certificate.empty()) return out;
  const auto tls =
      net::TlsContext::load({settings.server.tls_certificate, settings.server.tls_key});
  if (!tls) return out;
  if (auto warning = (*tls)->warning()) out.push_back(*std::move(warning));
  if (config::is_open_to_others(settings.server.tls_key)) {
    const std::string key = settings.server.tls_key.string();
    out.push_back("TLS_KEY_PATH: every user may read " + key + "; chmod o= " + key);
  }
  return out;
}

Result<void> check_model(const config::Settings& settings) {
  if (!settings.embedded || settings.llm.model_path.empty()) return {};
  const auto model = llm::check_model_file(settings.llm.model_path);
  if (!model) return model.error();
  return {};
}

Result<void> check_address(const config::Settings& settings) {
  const auto found = net::resolve_listen_address(settings.server.host, settings.server.port);
  if (!found) return found.error();
  return {};
}

}  // namespace tars::app
