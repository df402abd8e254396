#include "store/check_database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "store/sqlite_error.h"
#include "store/writable_folder.h"

namespace tars::store {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic = "SQLite format 3\0"sv;  // www.sqlite.org/fileformat.html

// A closed one where there is none. A pipe of that name must not hold this up.
Result<Descriptor> open_existing(const std::filesystem::path& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!file.is_open() && errno != ENOENT) return unusable_file(path, errno);
  return file;
}

bool is_one(const Descriptor& file) {
  struct stat status{};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  if (status.st_size == 0) return true;
  std::array<char, kMagic.size()> head{};
  const ssize_t n = ::pread(file.get(), head.data(), head.size(), 0);
  return n == static_cast<ssize_t>(head.size()) &&
         std::string_view(head.data(), head.size()) == kMagic;
}

}  // namespace

Result<void> check_database(const std::filesystem::path& path) {
  const Result<Descriptor> file = open_existing(path);
  if (!file) return file.error();
  if (file->is_open() && !is_one(*file)) {
    return sqlite_error(nullptr, SQLITE_NOTADB, path.string());
  }
  for (const char* suffix : {"-wal", "-shm"}) {
    if (auto beside = open_existing(path.string() + suffix); !beside) return beside.error();
  }
  return {};
}

}  // namespace tars::store
