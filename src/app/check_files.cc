#include "app/check_files.h"

#include "app/find_model.h"
#include "net/client/http_client.h"
#include "net/io/tls_context.h"

namespace tars::app {

Result<void> check_files(const config::Settings& settings) {
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

}  // namespace tars::app
