#include "net/client/host_names.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

#include "net/out_of_resources.h"

namespace tars::net {
namespace {

namespace asio = boost::asio;

constexpr int kMostDoublings = 16;

Error no_address(const std::string& name, const std::string& why) {
  return make_error(ErrorCode::io_error, "the name " + name + " has no address: " + why);
}

Error no_descriptor(const std::string& name) {
  return make_error(ErrorCode::overloaded, "no descriptor is left to look up " + name);
}

}  // namespace

Bell::Bell() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Bell::~Bell() {
  if (fd_ >= 0) ::close(fd_);
}

void Bell::ring() const {
  // Never read, and so readable for good. It fails only where the counter would overflow.
  [[maybe_unused]] const auto written = ::eventfd_write(fd_, 1);
}

int Bell::listen() const { return ::fcntl(fd_, F_DUPFD_CLOEXEC, 0); }

HostNames::HostNames(HostNameLimits limits, Ask ask) : limits_(limits), ask_(std::move(ask)) {}

std::optional<Result<HostNames::Addresses>> HostNames::find(const std::string& name,
                                                            std::shared_ptr<const Bell>& running) {
  std::lock_guard lock(mutex_);
  Name& known = entry(name);
  const auto now = std::chrono::steady_clock::now();
  if (!known.running && !running && now >= known.ask_after) begin(name, known);
  if (!known.addresses.empty() && now < known.good_until) return known.addresses;
  running = known.running;
  if (running) return std::nullopt;
  return known.error.value_or(no_address(name, "nothing is known of it"));
}

void HostNames::doubt(const std::string& name) {
  std::lock_guard lock(mutex_);
  const auto at = names_.find(name);
  if (at == names_.end()) return;
  Name& known = at->second;
  // A failure's pause stays as it is.
  if (known.failures > 0) return;
  known.ask_after = std::min(known.ask_after, known.found_at + limits_.fresh_at_least);
}

HostNames::Name& HostNames::entry(const std::string& name) {
  if (!names_.contains(name) && names_.size() >= limits_.names) {
    const auto idle = std::ranges::find_if(names_, [](const auto& n) { return !n.second.running; });
    if (idle != names_.end()) names_.erase(idle);
  }
  return names_[name];
}

void HostNames::begin(const std::string& name, Name& entry) {
  auto bell = std::make_shared<const Bell>();
  if (!bell->is_good()) {
    entry.error = no_descriptor(name);
    return;
  }
  if (running_ >= limits_.at_once) {
    entry.error = no_address(name, "too many names are being looked up");
    return;
  }
  try {
    std::thread([self = shared_from_this(), name] {
      Result<Addresses> found = no_address(name, "its lookup failed");
      try {
        found = self->ask_(name);
      } catch (const std::exception& fault) {
        found = no_address(name, fault.what());
      }
      self->end(name, std::move(found));
    }).detach();
  } catch (const std::system_error& fault) {
    entry.error = no_address(name, fault.what());
    return;
  }
  ++running_;
  entry.running = std::move(bell);
}

void HostNames::end(const std::string& name, Result<Addresses> found) {
  std::lock_guard lock(mutex_);
  --running_;
  // Names that are looked up are not pushed out.
  Name& known = names_.at(name);
  const auto now = std::chrono::steady_clock::now();
  if (found && !found->empty()) {
    known.addresses = *std::move(found);
    known.failures = 0;
    known.error.reset();
    known.found_at = now;
    known.ask_after = now + limits_.fresh;
    known.good_until = known.ask_after + limits_.stale;
  } else if (!found && found.error().code == ErrorCode::overloaded) {
    known.error = no_descriptor(name);
  } else {
    const bool is_unknown = !found && found.error().code == ErrorCode::not_found;
    if (is_unknown) known.addresses.clear();
    known.error = no_address(name, found ? "it stands for none" : found.error().message);
    known.ask_after =
        now + std::min(limits_.longest_pause,
                       limits_.first_pause * (1 << std::min(known.failures, kMostDoublings)));
    ++known.failures;
  }
  std::exchange(known.running, nullptr)->ring();
}

Result<HostNames::Addresses> HostNames::ask_system(const std::string& name) {
  asio::io_context context(1);  // runs nothing: resolve() calls the system here
  asio::ip::tcp::resolver resolver(context);
  boost::system::error_code ec;
  const auto results = resolver.resolve(name, "", ec);
  if (ec) {
    if (is_out_of_resources(ec)) return make_error(ErrorCode::overloaded, ec.message());
    const bool is_unknown = ec == asio::error::host_not_found || ec == asio::error::no_data;
    return make_error(is_unknown ? ErrorCode::not_found : ErrorCode::io_error, ec.message());
  }
  Addresses out;
  for (const auto& result : results) {
    const auto address = result.endpoint().address();
    if (std::ranges::find(out, address) == out.end()) out.push_back(address);
  }
  return out;
}

asio::awaitable<Result<HostNames::Addresses>> HostLookup::run(std::string name) {
  boost::system::error_code ec;
  const auto address = asio::ip::make_address(name, ec);
  if (!ec) co_return HostNames::Addresses{address};
  std::shared_ptr<const Bell> running;
  while (!cancelled_) {
    auto known = names_->find(name, running);
    if (known) co_return *std::move(known);
    const int bell = running->listen();
    if (bell < 0) co_return no_descriptor(name);
    rung_.assign(bell, ec);
    if (ec) {
      ::close(bell);
      co_return no_address(name, ec.message());
    }
    co_await rung_.async_wait(decltype(rung_)::wait_read, asio::as_tuple(asio::use_awaitable));
    rung_.close(ec);
  }
  co_return make_error(ErrorCode::closed, "the lookup was given up");
}

void HostLookup::cancel() {
  cancelled_ = true;
  boost::system::error_code ignored;
  rung_.cancel(ignored);
}

}  // namespace tars::net
