#include "base/descriptor.h"

#include <unistd.h>

#include <cerrno>

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

}  // namespace tars
