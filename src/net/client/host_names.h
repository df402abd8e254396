// Names to addresses, without ever waiting for the resolver on a thread of the program.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace tars::net {

// Told once, heard by any number of waiters, before or after. It is a file descriptor and no
// executor, so that who rings needs no context of those who wait, and may do it after they are
// gone.
class Bell {
 public:
  Bell();
  ~Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  bool is_good() const { return fd_ >= 0; }  // false when no descriptor was left
  // From any thread.
  void ring() const;
  // A descriptor of the caller's own, readable from the ringing on; -1 when none is left.
  int listen() const;

 private:
  const int fd_;
};

struct HostNameLimits {
  std::chrono::milliseconds fresh{std::chrono::seconds{30}};  // then a name is looked up again
  // Also a name at whose addresses nobody answers is not looked up again before.
  std::chrono::milliseconds fresh_at_least{std::chrono::seconds{5}};
  // Addresses are used on that long while new ones cannot be had. A name that is said not to exist
  // loses them at once.
  std::chrono::milliseconds stale{std::chrono::minutes{10}};
  // Before a name that failed is looked up again; doubled with each failure in a row.
  std::chrono::milliseconds first_pause{std::chrono::seconds{1}};
  std::chrono::milliseconds longest_pause{std::chrono::seconds{30}};
  std::size_t at_once = 64;  // lookups; more fail
  std::size_t names = 1024;  // remembered; more push others out
};

// Thread-safe; shared by clients that ask the same hosts. No call blocks.
//
// getaddrinfo() cannot be stopped, and takes as long as the name servers leave it (tens of
// seconds). Asio gives each context one thread for it, in which one dead name server holds up every
// other name and, because it is joined, the end of the program. Here each lookup has a thread of
// its own, at most one for each name and `at_once` in all, which is detached. That is safe because
// the thread has nothing but its own copy of the name and a share of this object: it touches no
// context, no coroutine and no global object, and neither logs nor calls back; who waits is told by
// a Bell. What it finds after everybody has gone is dropped with the last share, and the end of the
// process ends it where it is.
class HostNames : public std::enable_shared_from_this<HostNames> {
 public:
  using Addresses = std::vector<boost::asio::ip::address>;
  // Blocks; not_found where the name is said not to exist, io_error else. Must own what it uses.
  using Ask = std::function<Result<Addresses>(const std::string& name)>;

  explicit HostNames(HostNameLimits limits = {}, Ask ask = ask_system);

  // What is known of `name`: addresses (at least one, all families, in the system's order), also
  // older ones while new ones are looked up, or why there are none. nullopt = a lookup runs: ask
  // again, with it, once `running` has rung.
  std::optional<Result<Addresses>> find(const std::string& name,
                                        std::shared_ptr<const Bell>& running);
  // Nobody answers there, so the addresses may have changed: they are fresh for `fresh_at_least`
  // only.
  void doubt(const std::string& name);

  // By getaddrinfo().
  static Result<Addresses> ask_system(const std::string& name);

 private:
  struct Name {
    Addresses addresses = {};  // the last ones found
    SteadyTime found_at = {};
    SteadyTime ask_after = {};
    SteadyTime good_until = {};
    std::optional<Error> error = std::nullopt;  // of the last lookup
    int failures = 0;  // in a row
    std::shared_ptr<const Bell> running = nullptr;
  };

  Name& entry(const std::string& name);
  void begin(const std::string& name, Name& entry);
  void end(const std::string& name, Result<Addresses> found);

  const HostNameLimits limits_;
  const Ask ask_;
  std::mutex mutex_;
  std::map<std::string, Name> names_;
  std::size_t running_ = 0;
};

// One wait for a name's addresses, on its context's thread alone.
class HostLookup {
 public:
  HostLookup(boost::asio::io_context& context, std::shared_ptr<HostNames> names)
      : rung_(context), names_(std::move(names)) {}

  // An address is its own answer. io_error when there is none, overloaded when no descriptor is
  // left to look it up, closed after cancel().
  boost::asio::awaitable<Result<HostNames::Addresses>> run(std::string name);
  void cancel();

 private:
  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> rung_;
  const std::shared_ptr<HostNames> names_;
  bool cancelled_ = false;
};

}  // namespace tars::net
