#include "app/control/ask_holder.h"

#include <boost/asio/local/stream_protocol.hpp>

#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "app/backup/restore.h"
#include "app/control/control_desk.h"
#include "app/control/control_server.h"
#include "app/folder_owner.h"
#include "app/open_secrets.h"
#include "auth/enrollment.h"
#include "auth/token_service.h"
#include "base/ids.h"
#include "base/utf8.h"
#include "store/database.h"

namespace tars::app {
namespace {

using Unix = boost::asio::local::stream_protocol;

constexpr std::chrono::seconds kHolderPatience{5};
constexpr std::chrono::milliseconds kAskAgain{50};
constexpr std::chrono::seconds kAnswerPatience{15};
constexpr int kConnectTries = 200;

// A server has signed tokens here with a secret that it was given: the token of another one would
// be good for nothing.
bool lacks_the_secret(const config::Settings& settings) {
  std::error_code error;
  return settings.make_secret_key &&
         std::filesystem::exists(settings.data_dir / "auth.db", error) &&
         !std::filesystem::exists(settings.data_dir / kSecretFile, error);
}

// A server takes no line that is longer than its bound or no JSON, and cannot say so.
Result<void> check_request(const ControlRequest& request) {
  if (request.what == ControlRequest::What::issue) return auth::check_names(request.enroll);
  const std::string asked = request.family + request.query.client_id + request.query.after;
  if (is_valid_utf8(asked) && format_control_request(request).size() < kMaxControlRequest) {
    return {};
  }
  return make_error(ErrorCode::config_error,
                    "no device is called so: tars devices list shows what they are called");
}

// With the folder's lock held.
Result<HolderAnswer> answer_here(config::Settings settings, const ControlRequest& request) {
  if (auto finished = finish_restore(settings.data_dir); !finished) return finished.error();
  std::error_code error;
  const bool used = std::filesystem::exists(settings.data_dir / "auth.db", error);
  if (lacks_the_secret(settings)) {
    if (request.what == ControlRequest::What::issue) {
      return make_error(
          ErrorCode::config_error,
          "JWT_SECRET_KEY: the secret of " + settings.data_dir.string() +
              " is not in it; set JWT_SECRET_KEY to the server's, or start the server");
    }
    // Nothing is signed, and a file made here would pass for the server's.
    settings.auth.secret_key = random_hex(32);
  } else if (auto opened = open_secret_key(settings); !opened) {
    return opened.error();
  }
  const SystemClock clock;
  auto tokens = auth::TokenService::open(settings.data_dir / "auth.db", settings.auth, clock);
  if (!tokens) return tokens.error();
  std::promise<Result<ControlAnswer>> promise;
  auto answer = promise.get_future();
  const ControlDesk desk({**tokens, clock, [](const std::string&, const std::string&) { return 0; },
                          [] { return RunningServer{}; }});
  desk.handle(request,
              [&promise](Result<ControlAnswer> done) { promise.set_value(std::move(done)); });
  Result<ControlAnswer> result = answer.get();
  (*tokens)->shutdown();
  if (!result) return result.error();
  return HolderAnswer{*std::move(result), used ? Holder::nobody : Holder::nobody_yet};
}

// Why the lock of a folder in which nobody listens was not to be had.
Error explain(const std::filesystem::path& folder, Error refused) {
  if (!store::FolderLock::check(folder)) return refused;
  return make_error(ErrorCode::config_error, "the T.A.R.S. that uses " + folder.string() +
                                                 " does not listen on its " + kControlSocket +
                                                 ", which somebody may have deleted: restart it");
}

}  // namespace

Result<ControlAnswer> ask_running(const std::filesystem::path& data_dir,
                                  const ControlRequest& request) {
  const Error nobody =
      make_error(ErrorCode::not_found, "no server uses the data folder " + data_dir.string());
  std::error_code missing;
  if (!std::filesystem::exists(data_dir, missing)) return nobody;
  Result<ControlAddress> address = ControlAddress::in(data_dir);
  if (!address) return address.error();
  Unix::iostream stream;
  stream.expires_after(kAnswerPatience);
  // Of a Unix socket this is how it says that too many wait to be accepted.
  for (int tries = 0; tries < kConnectTries; ++tries) {
    stream.clear();
    stream.connect(Unix::endpoint(address->path()));
    if (stream.error() != boost::asio::error::try_again) break;
    std::this_thread::sleep_for(kAskAgain);
  }
  if (!stream) {
    if (stream.error() != boost::asio::error::access_denied) return nobody;
    return make_error(ErrorCode::config_error,
                      (data_dir / kControlSocket).string() +
                          " belongs to another user: run this as the server's user");
  }
  stream << format_control_request(request) << "\n" << std::flush;
  std::string line;
  if (!std::getline(stream, line)) {
    const bool acts =
        request.what == ControlRequest::What::issue || request.what == ControlRequest::What::revoke;
    return make_error(ErrorCode::io_error,
                      std::string("the running server did not answer: see its log") +
                          (acts ? ", and with tars devices list whether it has done it, which it "
                                  "may still do"
                                : ""));
  }
  return parse_control_answer(line);
}

Result<HolderAnswer> ask_holder(const config::Settings& settings, const ControlRequest& request) {
  if (auto good = check_request(request); !good) return good.error();
  const std::filesystem::path& folder = settings.data_dir;
  std::error_code missing;
  if (request.what != ControlRequest::What::issue && !std::filesystem::exists(folder, missing)) {
    return make_error(ErrorCode::config_error, "there is no data folder " + folder.string() +
                                                   ": set TARS_DATA_DIR to the server's");
  }
  const auto give_up = std::chrono::steady_clock::now() + kHolderPatience;
  while (true) {
    Result<ControlAnswer> answer = ask_running(folder, request);
    if (answer) return HolderAnswer{*std::move(answer)};
    if (answer.error().code != ErrorCode::not_found) return answer.error();
    // Nobody listens, but is it the desk that found nothing? Its words come as io_error.
    if (request.what == ControlRequest::What::status) return answer.error();
    if (auto owner = check_owner(folder); !owner) return owner.error();
    const Result<store::FolderLock> lock = store::FolderLock::acquire(folder);
    if (lock) return answer_here(settings, request);
    if (std::chrono::steady_clock::now() >= give_up) return explain(folder, lock.error());
    std::this_thread::sleep_for(kAskAgain);
  }
}

}  // namespace tars::app
