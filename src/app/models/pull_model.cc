#include "app/models/pull_model.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <optional>
#include <system_error>

#include "app/backup/files.h"
#include "app/folder_owner.h"
#include "app/models/disk_space.h"
#include "app/models/download_note.h"
#include "base/descriptor.h"
#include "base/durable_file.h"
#include "base/sha256.h"
#include "base/utf8.h"

namespace tars::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHashDigits = 64;
constexpr std::size_t kMaxName = 200;  // bytes; file systems allow 255 with what is appended

Error refuse(const std::string& message) { return make_error(ErrorCode::config_error, message); }

bool is_url(const std::string& source) { return source.find("://") != std::string::npos; }

Result<std::string> wanted_hash(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool hex = text.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (text.empty() || (hex && text.size() == kHashDigits)) return text;
  return refuse("--sha256 must be 64 hexadecimal digits");
}

// A plain name that ends in .gguf.
Result<std::string> file_name(const PullRequest& request, const std::string& of_source) {
  std::string name = request.name.empty() ? of_source : request.name;
  if (!name.ends_with(".gguf")) name += ".gguf";
  const std::string shown = replace_invalid_utf8(name);
  const bool plain = name.find('/') == std::string::npos && !has_control_characters(shown);
  if (name == ".gguf" || name.starts_with('.') || !plain || name.size() > kMaxName) {
    return refuse("\"" + replace_control_characters(shown) +
                  "\" is no name for a model file; choose one with --name");
  }
  return name;
}

// Where everything of one pull lies.
struct Place {
  fs::path target;
  fs::path partial;
  Descriptor lock;
};

Result<Place> prepare(const config::Settings& settings, const std::string& name) {
  if (auto owner = check_owner(settings.data_dir); !owner) return owner.error();
  const fs::path folder = settings.data_dir / "models";
  std::error_code error;
  // Only the data folder itself is private; what is fetched is no secret.
  if (!fs::exists(settings.data_dir, error)) {
    fs::create_directories(settings.data_dir, error);
    if (!error) fs::permissions(settings.data_dir, fs::perms::owner_all, error);
  }
  if (!error) fs::create_directories(folder, error);
  Place out{folder / name, folder / (name + ".partial"), Descriptor()};
  if (!error) {
    out.lock =
        Descriptor(::open((folder / ".pull.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!out.lock.is_open()) error.assign(errno, std::generic_category());
  }
  if (error) {
    return make_error(ErrorCode::io_error,
                      folder.string() + " cannot be written (" + error.message() +
                          "): make it writable, or set TARS_DATA_DIR to another folder");
  }
  if (::flock(out.lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return refuse("another tars model pull is at work in " + folder.string() + ": wait for it");
  }
  return out;
}

void discard(const Place& place) {
  std::error_code ignored;
  fs::remove(place.partial, ignored);
  fs::remove(download_note(place.partial), ignored);
}

// Nothing is touched before it is known that there is a file to copy: what lies at `to` may be an
// unfinished download, and the only copy of what was asked for.
Result<void> check_source(const fs::path& from, const fs::path& to) {
  std::error_code error;
  const bool is_file = fs::is_regular_file(from, error);
  const bool can_be_read =
      is_file && Descriptor(::open(from.c_str(), O_RDONLY | O_CLOEXEC)).is_open();
  if (is_file && !can_be_read) error.assign(errno, std::generic_category());
  if (!can_be_read) {
    return make_error(ErrorCode::io_error, from.string() + " cannot be copied: " +
                                               (error ? error.message() : "it is no file"));
  }
  if (fs::equivalent(from, to, error) || fs::equivalent(from, download_note(to), error)) {
    return refuse(from.string() + " lies where this would copy it to, as an unfinished download: " +
                  "choose another --name, or name what it was fetched from");
  }
  return {};
}

// False with errno set. `to` is made, or emptied.
bool copy_file(const fs::path& from, const fs::path& to, std::uint64_t total,
               const OnProgress& on_progress) {
  const Descriptor in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in.is_open()) return false;
  const Descriptor out(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!out.is_open()) return false;
  std::uint64_t copied = 0;
  return read_pieces(in, [&](std::string_view piece) {
    if (!write_all(out, piece)) return false;
    copied += piece.size();
    on_progress({copied, std::max(copied, total)});
    return true;
  });
}

Result<void> bring_file(const fs::path& from, const fs::path& to, const OnProgress& on_progress) {
  if (auto good = check_source(from, to); !good) return good;
  std::error_code error;
  const auto bytes = fs::file_size(from, error);
  // Asked before: a disk that fills up while the system copies is told as another fault. What an
  // earlier call left there gives its place.
  if (!error) {
    const auto left = fs::file_size(to, error);
    const auto given = error ? 0 : std::min(bytes, left);
    if (auto room = check_disk_space(to, bytes - given); !room) return room;
  }
  fs::remove(download_note(to), error);  // what is there of a URL is no more
  error.clear();
  if (!copy_file(from, to, bytes, on_progress) || !flush_file(to)) {
    error.assign(errno, std::generic_category());
  }
  if (!error) return {};
  std::error_code ignored;
  fs::remove(to, ignored);
  return make_error(ErrorCode::io_error,
                    from.string() + " cannot be copied to " + to.string() + ": " + error.message());
}

fs::path spelt_out(const fs::path& path) {
  std::error_code error;
  return fs::weakly_canonical(fs::absolute(path, error), error);
}

// What a server answers with: MODEL_PATH, and where it looks without that.
bool is_for_chat(const config::Settings& settings, const fs::path& path) {
  const fs::path asked = spelt_out(path);
  const auto is_it = [&](const fs::path& other) {
    return !other.empty() && spelt_out(other) == asked;
  };
  return is_it(settings.llm.model_path) || std::ranges::any_of(settings.model_candidates, is_it);
}

// What is at place.partial, under its name if it is what was asked for.
Result<PulledModel> admit(const config::Settings& settings, const Place& place,
                          const std::string& wanted) {
  PulledModel out;
  out.path = place.target;
  Result<llm::ModelSummary> summary = llm::summarize_model_file(place.partial);
  const auto note = read_download_note(download_note(place.partial));
  // Nobody has said how long the file is, so an early end looked like its end.
  if (!summary && note && !note->total) {
    const bool goes_on = !wanted.empty() || !note->validator.empty();
    return make_error(ErrorCode::backend_unavailable,
                      "the server said no length and ended early: " + summary.error().message +
                          (goes_on ? ": the same command goes on from what is there"
                                   : ": give the same command again"));
  }
  Result<std::string> hash = sha256_file(place.partial);
  if (!hash) return hash.error();
  out.sha256 = *std::move(hash);
  if (!wanted.empty() && out.sha256 != wanted) {
    discard(place);
    return refuse("sha256 mismatch: expected " + wanted + ", got " + out.sha256 +
                  "; nothing was kept: check the hash and the address");
  }
  if (!summary) {
    discard(place);
    return refuse("what was fetched is no model: " + summary.error().message);
  }
  out.summary = *std::move(summary);
  if (out.summary.use != llm::ModelUse::chat && is_for_chat(settings, place.target)) {
    discard(place);
    const bool embeds = out.summary.use == llm::ModelUse::embedding;
    return refuse(place.target.string() + " is for the model that answers, and this one (" +
                  out.summary.architecture + ") " + (embeds ? "only embeds" : "cannot chat") +
                  ": choose another --name");
  }
  if (auto named = rename_durably(place.partial, place.target); !named) return named.error();
  discard(place);  // the note
  return out;
}

// A model of that name which is there already, where that is good.
Result<std::optional<PulledModel>> find_there(const Place& place, const PullRequest& request,
                                              const std::string& wanted) {
  std::error_code error;
  if (request.replace || !fs::exists(place.target, error)) return std::optional<PulledModel>();
  if (!wanted.empty()) {
    Result<std::string> hash = sha256_file(place.target);
    if (!hash) return hash.error();
    Result<llm::ModelSummary> summary = llm::summarize_model_file(place.target);
    if (summary && *hash == wanted) {
      return std::optional(PulledModel{place.target, *std::move(summary), wanted, true});
    }
  }
  return refuse(place.target.string() +
                " is there already: choose another --name, or replace it with --force");
}

}  // namespace

Result<PulledModel> pull_model(const config::Settings& settings, const PullRequest& request,
                               const DownloadOptions& options, const OnProgress& on_progress) {
  const Result<std::string> wanted = wanted_hash(request.sha256);
  if (!wanted) return wanted.error();
  std::optional<net::WebUrl> url;
  if (is_url(request.source)) {
    Result<net::WebUrl> parsed = net::parse_web_url(request.source);
    if (!parsed) return parsed.error();
    url = *std::move(parsed);
  }
  const auto name =
      file_name(request, url ? url->file_name : fs::path(request.source).filename().string());
  if (!name) return name.error();
  const Result<Place> place = prepare(settings, *name);
  if (!place) return place.error();
  auto there = find_there(*place, request, *wanted);
  if (!there) return there.error();
  if (*there) return **std::move(there);
  DownloadOptions of_model = options;
  of_model.begins_with = "GGUF";
  of_model.is_checked = !wanted->empty();
  const Result<void> brought = url ? download(*url, place->partial, of_model, on_progress)
                                   : bring_file(request.source, place->partial, on_progress);
  if (!brought) {
    std::error_code error;
    if (fs::file_size(place->partial, error) == 0) discard(*place);
    return brought.error();
  }
  return admit(settings, *place, *wanted);
}

}  // namespace tars::app
