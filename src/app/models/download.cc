#include "app/models/download.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include "app/models/content_range.h"
#include "app/models/disk_space.h"
#include "app/models/download_note.h"
#include "base/descriptor.h"
#include "telemetry/build_info.h"

namespace tars::app {
namespace {

namespace asio = boost::asio;
using boost::asio::awaitable;
using std::chrono::steady_clock;

constexpr int kMaxRedirects = 10;
constexpr const char* kNoCredentials =
    ": the server wants credentials, which are not sent; fetch the file in another way, and pull "
    "that";
// How often a file may turn out to be another one than what is there of it.
constexpr int kMaxOtherFiles = 5;
// Bytes between two looks at the room on the disk.
constexpr std::uint64_t kLookAgain = 16 << 20;

Error interrupted(const std::string& why) {
  return make_error(ErrorCode::backend_unavailable, why);
}

bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool may_pass(unsigned status) { return status == 408 || status == 429 || status >= 500; }

// What tells one version of a file from another: the ETag, else the date.
std::string validator_of(const net::ResponseHead& head) {
  const auto tag = head.header("ETag");
  return std::string(tag ? *tag : head.header("Last-Modified").value_or(""));
}

// If-Range takes no weak ETag (RFC 9110 section 13.1.5).
bool is_weak(std::string_view validator) { return validator.starts_with("W/"); }

// One call of download(): the state that its tries share.
class Download {
 public:
  Download(asio::io_context& context, const net::WebUrl& url, const std::filesystem::path& file,
           const DownloadOptions& options, const OnProgress& on_progress)
      : context_(context),
        url_(url),
        path_(file),
        note_path_(download_note(file)),
        options_(options),
        on_progress_(on_progress),
        client_(context, options.client) {}

  awaitable<Result<void>> run();

 private:
  Result<void> open();
  awaitable<Result<void>> attempt();
  awaitable<Result<std::unique_ptr<net::Exchange>>> ask();
  Result<void> accept(const net::ResponseHead& head);
  awaitable<Result<void>> replace(net::Exchange& exchange);
  Result<void> append(std::string_view bytes);
  Result<void> begin(const net::ResponseHead& head, std::optional<std::uint64_t> total);
  awaitable<Result<void>> receive(net::Exchange& exchange);
  // Whether what came since then, when `before` bytes were there, came too slowly.
  bool is_slow(std::uint64_t before, steady_clock::time_point since) const;
  Result<void> start_over();
  bool may_go_on() const;
  Result<void> leave_room();
  Error disk_error(const char* verb) const;
  std::string what_is_kept() const;
  std::string outlook() const;  // of one that is given up for now
  bool is_whole() const { return note_.total && have_ == *note_.total; }
  net::ClientRequest request(const net::WebUrl& at) const;

  asio::io_context& context_;
  const net::WebUrl& url_;
  const std::filesystem::path& path_;
  const std::filesystem::path note_path_;
  const DownloadOptions& options_;
  const OnProgress& on_progress_;
  net::HttpClient client_;
  Descriptor file_;
  std::uint64_t have_ = 0;  // bytes in the file
  DownloadNote note_;
  std::uint64_t look_at_ = 0;  // at the room on the disk, when so many bytes are there
  int other_files_ = 0;
  bool drips_ = false;
  // What is there is of another file, and stays until a whole answer takes its place.
  bool anew_ = false;
};

Error Download::disk_error(const char* verb) const {
  const int error = errno;
  return make_error(
      ErrorCode::io_error,
      path_.string() + " cannot be " + verb + ": " + std::generic_category().message(error) +
          (error == ENOSPC ? "; free some space, then the same command goes on" : ""));
}

Result<void> Download::open() {
  file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file_.is_open()) return disk_error("written");
  note_ = read_download_note(note_path_).value_or(DownloadNote{});
  const off_t size = ::lseek(file_.get(), 0, SEEK_END);
  if (size < 0) return disk_error("read");
  have_ = static_cast<std::uint64_t>(size);
  anew_ = note_.url != url_.text || !may_go_on();
  return {};
}

// Without a validator nothing tells whether the server's file is still the one that was begun.
bool Download::may_go_on() const { return !note_.validator.empty() || options_.is_checked; }

std::string Download::what_is_kept() const {
  if (have_ == 0) return "";
  return "; what was fetched before, " + megabytes(have_) + ", is kept";
}

std::string Download::outlook() const {
  if (have_ == 0) return "; nothing has come yet: check the address, or try again later";
  if (anew_) return what_is_kept();
  if (!may_go_on()) {
    return "; the server names no version of the file (ETag, Last-Modified), so only with --sha256 "
           "the same command goes on from the " +
           megabytes(have_) + " that are there";
  }
  return "; " + megabytes(have_) + " are there, the same command goes on from them";
}

Result<void> Download::start_over() {
  note_ = DownloadNote{.url = url_.text};
  have_ = 0;
  anew_ = false;
  if (::ftruncate(file_.get(), 0) != 0 || ::lseek(file_.get(), 0, SEEK_SET) < 0) {
    return disk_error("written");
  }
  return {};
}

awaitable<Result<void>> Download::run() {
  if (auto opened = open(); !opened) co_return opened;
  asio::steady_timer pause(context_);
  for (int tries = 0; true;) {
    const std::uint64_t before = have_;
    const auto begun = steady_clock::now() - options_.pause;
    const Result<void> done = co_await attempt();
    if (done || done.error().code != ErrorCode::backend_unavailable) {
      if (done && ::fsync(file_.get()) != 0) co_return disk_error("written");
      co_return done;
    }
    tries = have_ > before && !is_slow(before, begun) ? 1 : tries + 1;
    if (tries >= options_.tries || drips_) {
      co_return interrupted(done.error().message + outlook());
    }
    pause.expires_after(options_.pause);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

awaitable<Result<void>> Download::attempt() {
  Result<std::unique_ptr<net::Exchange>> exchange = co_await ask();
  if (!exchange) co_return exchange.error();
  if (auto accepted = accept((*exchange)->head()); !accepted) co_return accepted;
  if ((*exchange)->head().status == 200) {
    if (auto replaced = co_await replace(**exchange); !replaced) co_return replaced;
  }
  if (is_whole()) co_return Result<void>();
  co_return co_await receive(**exchange);
}

net::ClientRequest Download::request(const net::WebUrl& at) const {
  net::ClientRequest out;
  out.target = at.target;
  out.headers = {{"User-Agent", "tars/" + std::string(telemetry::version())}};
  if (have_ > 0 && !anew_) {
    out.headers.emplace_back("Range", "bytes=" + std::to_string(have_) + "-");
    if (!note_.validator.empty() && !is_weak(note_.validator))
      out.headers.emplace_back("If-Range", note_.validator);
  }
  return out;
}

// Up to the answer's head, wherever redirects lead.
awaitable<Result<std::unique_ptr<net::Exchange>>> Download::ask() {
  net::WebUrl at = url_;
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    auto exchange = client_.open(at.endpoint);
    const Result<void> started = co_await exchange->start(request(at), options_.answer_timeout);
    if (!started) co_return interrupted(started.error().message);
    const auto location = exchange->head().header("Location");
    if (!is_redirect(exchange->head().status) || !location) co_return exchange;
    Result<net::WebUrl> next = net::follow(at, *location);
    if (!next) {
      co_return make_error(ErrorCode::config_error,
                           at.text + " leads elsewhere, but " + next.error().message);
    }
    at = *std::move(next);
  }
  co_return make_error(ErrorCode::config_error, url_.text + " leads round in circles");
}

// Whether the body of this answer belongs behind what is there, or, of a 200, in its place.
Result<void> Download::accept(const net::ResponseHead& head) {
  const auto range = parse_content_range(head.header("Content-Range").value_or(""));
  switch (head.status) {
    case 200: return {};
    case 206:
      // Of another file, if its length or its validator is another: without a strong one the
      // server was not asked.
      if (!anew_ && range && range->first == have_ &&
          (!note_.total || note_.total == range->total) && validator_of(head) == note_.validator) {
        return begin(head, range->total);
      }
      break;
    case 416:
      if (!anew_ && range && range->total == have_ && (!note_.total || note_.total == have_)) {
        note_.total = have_;
        return write_download_note(note_path_, note_);
      }
      break;
    default: {
      const std::string says =
          url_.text + " is answered with the status " + std::to_string(head.status);
      if (may_pass(head.status)) return interrupted(says);
      if (head.status == 401 || head.status == 403) {
        return make_error(ErrorCode::config_error, says + kNoCredentials + what_is_kept());
      }
      return make_error(ErrorCode::config_error, says + ": check the address");
    }
  }
  anew_ = true;
  if (++other_files_ > kMaxOtherFiles) {
    return make_error(ErrorCode::config_error,
                      url_.text + " is another file each time it is asked for: try again later");
  }
  return interrupted("the server has another file now");
}

// A whole answer takes the place of what is there once its first bytes are a model's: the page of a
// proxy that wants a login is none, and must not cost hours.
awaitable<Result<void>> Download::replace(net::Exchange& exchange) {
  const net::ResponseHead& head = exchange.head();
  const auto total = parse_decimal(head.header("Content-Length").value_or(""));
  std::string first;
  while (first.size() < options_.begins_with.size()) {
    const Result<std::string_view> bytes = co_await exchange.read_body(options_.idle_timeout);
    if (!bytes) co_return interrupted(bytes.error().message);
    if (bytes->empty()) break;
    first += *bytes;
  }
  if (!first.starts_with(options_.begins_with)) {
    const std::string type(head.header("Content-Type").value_or("of no type").substr(0, 80));
    co_return make_error(ErrorCode::config_error,
                         url_.text + " is answered with what is no " + options_.begins_with +
                             " file (" + type + "): check the address, and whether it wants a " +
                             "login" + what_is_kept());
  }
  if (total && *total > have_) {
    if (auto room = check_disk_space(path_, *total - have_); !room) co_return room;
  }
  if (auto emptied = start_over(); !emptied) co_return emptied;
  if (auto begun = begin(head, total); !begun) co_return begun;
  co_return append(first);
}

Result<void> Download::append(std::string_view bytes) {
  if (!write_all(file_, bytes)) return disk_error("written");
  have_ += bytes.size();
  on_progress_({have_, note_.total});
  return note_.total ? Result<void>() : leave_room();
}

// A body of no known length may have no end: it is not to take what others on the disk need.
Result<void> Download::leave_room() {
  if (have_ < look_at_) return {};
  look_at_ = have_ + kLookAgain;
  if (check_disk_space(path_, options_.keep_free)) return {};
  return make_error(ErrorCode::io_error,
                    url_.text + " names no length, and less than " + megabytes(options_.keep_free) +
                        " are left on the disk; " + path_.string() + " holds the " +
                        megabytes(have_) + " that came: delete it, or free more");
}

Result<void> Download::begin(const net::ResponseHead& head, std::optional<std::uint64_t> total) {
  note_.total = total;
  note_.validator = validator_of(head);
  if (auto written = write_download_note(note_path_, note_); !written) return written;
  on_progress_({have_, note_.total});
  return note_.total ? check_disk_space(path_, *note_.total - have_) : Result<void>();
}

bool Download::is_slow(std::uint64_t before, steady_clock::time_point since) const {
  const std::chrono::duration<double> took = steady_clock::now() - since;
  const auto least = static_cast<double>(options_.least_bytes_per_second) * took.count();
  return static_cast<double>(have_ - before) < least;
}

awaitable<Result<void>> Download::receive(net::Exchange& exchange) {
  auto since = steady_clock::now();
  std::uint64_t before = have_;
  while (true) {
    const Result<std::string_view> bytes = co_await exchange.read_body(options_.idle_timeout);
    if (!bytes) co_return interrupted(bytes.error().message);
    if (bytes->empty()) break;
    if (auto appended = append(*bytes); !appended) co_return appended;
    if (steady_clock::now() - since < options_.slow_for) continue;
    drips_ = is_slow(before, since) && !is_whole();
    if (drips_) {
      co_return interrupted(url_.text + " is sent too slowly, at less than " +
                            std::to_string(options_.least_bytes_per_second) + " bytes a second");
    }
    since = steady_clock::now();
    before = have_;
  }
  if (note_.total && !is_whole()) {
    co_return interrupted(url_.text + " ended after " + std::to_string(have_) + " of " +
                          std::to_string(*note_.total) + " bytes");
  }
  co_return Result<void>();
}

}  // namespace

std::filesystem::path download_note(const std::filesystem::path& file) {
  return file.string() + ".from";
}

Result<void> download(const net::WebUrl& url, const std::filesystem::path& file,
                      const DownloadOptions& options, const OnProgress& on_progress) {
  asio::io_context context;
  Download work(context, url, file, options, on_progress);
  Result<void> result;
  std::exception_ptr fault;
  asio::co_spawn(context, work.run(), [&](const std::exception_ptr& e, Result<void> done) {
    fault = e;
    result = std::move(done);
    context.stop();
  });
  context.run();
  if (fault) std::rethrow_exception(fault);
  return result;
}

}  // namespace tars::app
