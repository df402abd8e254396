// A file descriptor with an owner.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

namespace tars {

// Closes it at the end of its life. Negative = there is none.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

// All of `data`, in as many writes as it takes; false with errno set when it cannot be.
bool write_all(const Descriptor& to, std::string_view data);

// Calls `take` with each piece of what is left to read, a MiB at most, to the end or until it
// returns false. True at the end; false with errno as the read that failed, or `take`, left it.
bool read_pieces(const Descriptor& from, const std::function<bool(std::string_view)>& take);

}  // namespace tars
