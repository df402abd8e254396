#include "app/control/control_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <system_error>
#include <utility>

#include "api/await_result.h"
#include "telemetry/log.h"

namespace tars::app {
namespace {

namespace asio = boost::asio;
using Unix = asio::local::stream_protocol;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr int kConversations = 8;
constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kPause{100};

Error unusable(const std::filesystem::path& folder, const std::string& why) {
  return make_error(ErrorCode::config_error,
                    "TARS_DATA_DIR: " + (folder / kControlSocket).string() + " cannot be made (" +
                        why + "); use a folder on a local disk");
}

// One socket with its deadline.
struct Conversation {
  explicit Conversation(Unix::socket s) : socket(std::move(s)), deadline(socket.get_executor()) {}
  Unix::socket socket;
  asio::steady_timer deadline;
  std::string line;
};

void give_up_later(const std::shared_ptr<Conversation>& conversation) {
  conversation->deadline.expires_after(kPatience);
  conversation->deadline.async_wait([conversation](const boost::system::error_code& ec) {
    boost::system::error_code ignored;
    if (!ec) conversation->socket.close(ignored);
  });
}

// Not for one that only has no more to say. Whoever waited in vain has been told so.
bool has_hung_up(Unix::socket& socket) {
  pollfd asked{.fd = socket.native_handle(), .events = 0, .revents = 0};
  return ::poll(&asked, 1, 0) > 0 && (asked.revents & POLLHUP) != 0;
}

}  // namespace

Result<ControlAddress> ControlAddress::in(const std::filesystem::path& folder) {
  Descriptor open(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!open.is_open()) return unusable(folder, std::generic_category().message(errno));
  return ControlAddress(std::move(open));
}

ControlAddress::ControlAddress(Descriptor folder)
    : folder_(std::move(folder)),
      path_("/proc/self/fd/" + std::to_string(folder_.get()) + "/" + kControlSocket) {}

struct ControlServer::State {
  State(asio::io_context& c, ControlAddress a, ControlDesk d)
      : context(c), address(std::move(a)), desk(std::move(d)), acceptor(c) {}

  asio::io_context& context;
  const ControlAddress address;
  const ControlDesk desk;
  Unix::acceptor acceptor;
  int open = 0;  // conversations; on the context's thread only

  asio::awaitable<Result<ControlAnswer>> answer(const std::string& line) const;
  static asio::awaitable<void> converse(std::shared_ptr<State> state, Unix::socket socket);
};

// Called by converse(), whose frame owns this and the line.
asio::awaitable<Result<ControlAnswer>> ControlServer::State::answer(const std::string& line) const {
  Result<ControlRequest> request = parse_control_request(line);
  if (!request) co_return request.error();
  telemetry::log(telemetry::LogLevel::info, "an operator asks", {{"request", line}});
  co_return co_await api::await_result<ControlAnswer>(
      [this, &request](auto done) { desk.handle(*std::move(request), std::move(done)); });
}

asio::awaitable<void> ControlServer::State::converse(std::shared_ptr<State> state,
                                                     Unix::socket socket) {
  const auto conversation = std::make_shared<Conversation>(std::move(socket));
  give_up_later(conversation);
  const auto [ec, size] = co_await asio::async_read_until(
      conversation->socket, asio::dynamic_buffer(conversation->line, kMaxControlRequest), '\n',
      kAwait);
  if (!ec && has_hung_up(conversation->socket)) {
    telemetry::log(telemetry::LogLevel::info,
                   "an operator's request is dropped: the asker is gone");
  } else if (!ec) {
    conversation->line.resize(size - 1);
    const Result<ControlAnswer> result = co_await state->answer(conversation->line);
    const std::string text = format_control_answer(result) + "\n";
    co_await asio::async_write(conversation->socket, asio::buffer(text), kAwait);
  }
  conversation->deadline.cancel();
  --state->open;
}

asio::awaitable<void> ControlServer::accept(std::shared_ptr<State> state) {
  asio::steady_timer pause(state->context);
  while (state->acceptor.is_open()) {
    if (state->open < kConversations) {
      auto [ec, socket] = co_await state->acceptor.async_accept(kAwait);
      if (!ec) {
        ++state->open;
        asio::co_spawn(state->context, State::converse(state, std::move(socket)), asio::detached);
        continue;
      }
    }
    // Too many at once, or no descriptors left.
    pause.expires_after(kPause);
    co_await pause.async_wait(kAwait);
  }
}

Result<std::unique_ptr<ControlServer>> ControlServer::listen(asio::io_context& context,
                                                             const std::filesystem::path& folder,
                                                             ControlDesk desk) {
  Result<ControlAddress> address = ControlAddress::in(folder);
  if (!address) return address.error();
  const std::string path = address->path();
  auto state = std::make_shared<State>(context, *std::move(address), std::move(desk));
  ::unlink(path.c_str());
  boost::system::error_code ec;
  state->acceptor.open(Unix(), ec);
  if (!ec) state->acceptor.bind(Unix::endpoint(path), ec);
  if (ec) return unusable(folder, ec.message());
  // Before it listens, so that nobody else gets in between.
  if (::chmod(path.c_str(), 0600) != 0) {
    return unusable(folder, std::generic_category().message(errno));
  }
  state->acceptor.listen(Unix::acceptor::max_listen_connections, ec);
  if (ec) return unusable(folder, ec.message());
  asio::co_spawn(context, accept(state), asio::detached);
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(state)));
}

ControlServer::~ControlServer() {
  ::unlink(state_->address.path().c_str());
  asio::post(state_->context, [state = state_] {
    boost::system::error_code ignored;
    state->acceptor.close(ignored);
  });
}

}  // namespace tars::app
