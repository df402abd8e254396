// Doubles of what the wire stands on: tokens, engine, backend, socket.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "auth/token_service.h"
#include "chat/engine.h"
#include "llm/backend.h"
#include "net/websocket.h"

namespace tars::api::testing {

class FakeTokens : public auth::TokenService {
 public:
  std::map<std::string, Result<auth::Claims>, std::less<>> known;
  std::function<void(const auth::Revocation&)> listener;
  Result<void> health;
  std::vector<auth::Device> known_families;
  std::string revoked;
  bool hangs = false;  // nothing is answered any more, and what was asked is kept
  std::vector<std::function<void()>> unanswered;

  void set_revocation_listener(std::function<void(const auth::Revocation&)> l) override {
    listener = std::move(l);
  }
  Result<auth::TokenPair> enroll(const auth::EnrollRequest& request) override {
    if (request.enrollment_key == "wrong") return make_error(ErrorCode::forbidden, "wrong key");
    return auth::TokenPair{"access-" + request.client_id, "refresh", std::chrono::seconds(86400)};
  }
  Result<auth::Claims> verify(std::string_view token, auth::TokenType expected) const override {
    auto claims = verify_any(token);
    if (claims && claims->type != expected) {
      return make_error(ErrorCode::invalid_token, "token_wrong_type");
    }
    return claims;
  }
  Result<auth::Claims> verify_any(std::string_view token) const override {
    const auto found = known.find(token);
    if (found == known.end()) return make_error(ErrorCode::invalid_token, "token_invalid");
    return found->second;
  }
  void refresh(std::string token, Callback<auth::TokenPair> done) override {
    if (hangs) return keep(std::move(done));
    if (token == "refresh") return done(auth::TokenPair{"a2", "r2", std::chrono::seconds(86400)});
    done(make_error(ErrorCode::invalid_token, "token_wrong_type"));
  }
  void revoke(auth::Claims, std::string token, Callback<void> done) override {
    if (hangs) return keep(std::move(done));
    revoked = std::move(token);
    done({});
  }
  void revoke_device(auth::Claims, std::string family, Callback<void> done) override {
    if (hangs) return keep(std::move(done));
    if (family == "fam") return done({});
    done(make_error(ErrorCode::not_found, "no such device"));
  }
  void issue(auth::EnrollRequest request, Callback<auth::TokenPair> done) override {
    done(enroll(request));
  }
  // known_families are of every client, newest first.
  void families(auth::FamilyQuery query, Callback<std::vector<auth::Device>> done) override {
    if (hangs) return keep(std::move(done));
    std::vector<auth::Device> page;
    for (const auth::Device& device : known_families) {
      if (page.size() < query.limit && (query.after.empty() || device.family < query.after))
        page.push_back(device);
    }
    done(std::move(page));
  }
  void touch(const auth::Claims&) override {}
  Result<void> check() const override { return health; }
  void shutdown() override {}

 private:
  template <class T>
  void keep(Callback<T> done) {
    unanswered.push_back([done = std::move(done)] { done(make_error(ErrorCode::closed, "late")); });
  }
};

class FakeBackend : public llm::Backend {
 public:
  llm::Status now{
      .health = llm::Health::healthy, .detail = "", .model = "tiny", .context_length = 4096};
  std::vector<llm::NamedStatus> several;
  std::size_t listed = 1;  // models
  llm::Status status() const override { return now; }
  std::vector<llm::NamedStatus> parts() const override { return several; }
  std::vector<std::string> models(const std::string& lane, std::size_t most) const override {
    return std::vector<std::string>(std::min(listed, most), lane + "/tiny");
  }
  Result<void> generate(llm::Request, std::shared_ptr<llm::Sink>, std::stop_token) override {
    return make_error(ErrorCode::backend_unavailable, "a double");
  }
  void shutdown() override {}
};

// Hands out runs that the test writes.
class FakeEngine : public chat::Engine {
 public:
  struct Left {
    std::string run_id;
    chat::Leave how;
  };
  std::vector<std::shared_ptr<chat::Run>> runs;
  std::vector<chat::ChatRequest> requests;
  std::vector<Left> left;
  std::vector<std::string> cancelled;
  std::optional<Error> refusal;
  std::function<void(const std::string&)> store_listener;
  std::string revoked_family;
  std::chrono::milliseconds age{1000};  // of a run when it is handed out
  Result<void> store;

  void submit(chat::ChatRequest request, std::function<void()> wake, FollowDone done) override {
    if (refusal) return done(*refusal);
    chat::RunInfo info;
    info.id = "run_" + std::to_string(runs.size());
    info.client_id = request.client_id;
    info.conversation_id = request.conversation_id.value_or("made");
    info.message_id = request.message_id.value_or("");
    info.model = "tiny";
    info.token_id = request.token_id;
    info.submitted_at = std::chrono::steady_clock::now() - age;
    requests.push_back(std::move(request));
    runs.push_back(std::make_shared<chat::Run>(info));
    done(std::make_unique<Reader>(*this, runs.back(), std::move(wake)));
  }
  void follow(std::string, chat::RunName name, std::function<void()> wake,
              FollowDone done) override {
    for (const auto& run : runs) {
      if (run->info().id != name.run_id && run->info().message_id != name.message_id) continue;
      return done(std::make_unique<Reader>(*this, run, std::move(wake)));
    }
    done(make_error(ErrorCode::run_not_found, "no such run"));
  }
  void cancel(std::string, chat::CancelTarget target,
              std::function<void(Result<void>)> done) override {
    if (target.run_id == "nope") return done(make_error(ErrorCode::run_not_found, "no such run"));
    cancelled.push_back(target.run_id.value_or(target.message_id.value_or("")));
    done({});
  }
  void revoke(std::string_view, std::string_view family, std::string_view) override {
    revoked_family = family;
  }
  chat::Counts counts() const override { return {}; }
  void set_store_listener(std::function<void(const std::string&)> l) override {
    store_listener = std::move(l);
  }
  Result<void> check_store() const override { return store; }
  void drain() override {}
  bool is_drained() const override { return true; }
  Result<void> shutdown() override { return {}; }

 private:
  class Reader : public chat::Follower {
   public:
    Reader(FakeEngine& engine, std::shared_ptr<chat::Run> run, std::function<void()> wake)
        : engine_(engine), run_(std::move(run)), id_(run_->follow(std::move(wake))) {}
    ~Reader() override {
      if (id_ != 0) run_->unfollow(id_);
    }
    const chat::Run& run() const override { return *run_; }
    void leave(chat::Leave how) override {
      engine_.left.push_back({run_->info().id, how});
      run_->unfollow(std::exchange(id_, 0));
    }

   private:
    FakeEngine& engine_;
    std::shared_ptr<chat::Run> run_;
    std::uint64_t id_;
  };
};

// What a socket was told, and what it shall hear; outlives the socket.
struct Wire {
  explicit Wire(boost::asio::io_context& io)
      : incoming_ready(io, SteadyTime::max()), executor(io.get_executor()) {}
  std::deque<net::WsMessage> incoming;
  boost::asio::steady_timer incoming_ready;
  boost::asio::any_io_executor executor;
  std::vector<std::string> sent;
  std::optional<net::WsClosed> ended;    // how the connection ended
  std::optional<net::WsClosed> we_closed;
  bool stuck = false;                    // writes never return
  bool ending = false;                   // told of a fault: takes nothing, and read() waits on
  bool takes_now = false;                // write_now() sends
  bool backed_up = false;                // until the next flush()
  int flushes = 0;
  int pings = 0;
  std::function<void()> peer_closes;
  std::optional<net::WsClosed> peer_closed;  // its close frame has come; the end has not
  SteadyTime last_activity = std::chrono::steady_clock::now();

  void hear(std::string text, bool binary = false) {
    incoming.push_back({std::move(text), binary});
    incoming_ready.cancel();
  }
  void end(net::CloseCode code, std::string reason = "") {
    if (!ended) ended = net::WsClosed{code, std::move(reason)};
    incoming_ready.cancel();
  }
  bool told(std::string_view part) const {
    for (const std::string& frame : sent) {
      if (frame.find(part) != frame.npos) return true;
    }
    return false;
  }
};

class FakeSocket : public net::WebSocket {
 public:
  explicit FakeSocket(Wire& wire) : wire_(wire) {}
  boost::asio::awaitable<Result<net::WsMessage>> read() override {
    while (wire_.incoming.empty() && !wire_.ended) co_await pause();
    if (wire_.incoming.empty()) co_return make_error(ErrorCode::closed, "closed");
    net::WsMessage message = std::move(wire_.incoming.front());
    wire_.incoming.pop_front();
    co_return message;
  }
  boost::asio::awaitable<Result<void>> write(std::string_view text) override {
    while (wire_.stuck && !wire_.ended) co_await pause();
    if (wire_.ended || wire_.ending) co_return make_error(ErrorCode::closed, "closed");
    wire_.sent.emplace_back(text);
    co_return Result<void>();
  }
  bool write_now(std::string_view text) override {
    if (!wire_.takes_now || wire_.backed_up || wire_.ended || wire_.ending) return false;
    wire_.sent.emplace_back(text);
    return true;
  }
  bool is_backed_up() const override { return wire_.backed_up; }
  boost::asio::awaitable<Result<void>> flush() override {
    while (wire_.stuck && !wire_.ended) co_await pause();
    if (wire_.ended || wire_.ending) co_return make_error(ErrorCode::closed, "closed");
    wire_.backed_up = false;
    ++wire_.flushes;
    co_return Result<void>();
  }
  boost::asio::awaitable<Result<void>> ping() override {
    ++wire_.pings;
    co_return Result<void>();
  }
  boost::asio::awaitable<void> close(net::CloseCode code, std::string_view reason) override {
    abort(code, reason);
    co_return;
  }
  void abort(net::CloseCode code, std::string_view reason) override {
    if (wire_.ending) return;
    if (!wire_.ended) wire_.we_closed = net::WsClosed{code, std::string(reason)};
    wire_.end(code, std::string(reason));
  }
  void when_peer_closes(std::function<void()> then) override {
    wire_.peer_closes = std::move(then);
  }
  const net::WsClosed& closed() const override {
    static const net::WsClosed kOpen;
    if (wire_.peer_closed) return *wire_.peer_closed;
    return wire_.ended ? *wire_.ended : kOpen;
  }
  SteadyTime last_activity() const override { return wire_.last_activity; }
  std::uint64_t bytes_written() const override { return 0; }
  boost::asio::any_io_executor executor() const override { return wire_.executor; }

 private:
  boost::asio::awaitable<void> pause() {
    co_await wire_.incoming_ready.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  Wire& wire_;
};

}  // namespace tars::api::testing
