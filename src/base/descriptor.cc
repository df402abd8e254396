#include "base/descriptor.h"

#include <unistd.h>

#include <cerrno>
#include <vector>

namespace tars {

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

bool write_all(const Descriptor& to, std::string_view data) {
  while (!data.empty()) {
    const ssize_t n = ::write(to.get(), data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool read_pieces(const Descriptor& from, const std::function<bool(std::string_view)>& take) {
  constexpr std::size_t kPiece = 1024 * 1024;
  std::vector<char> piece(kPiece);
  while (true) {
    const ssize_t n = ::read(from.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0;
    if (!take({piece.data(), static_cast<std::size_t>(n)})) return false;
  }
}

}  // namespace tars
