// Files as a user sees them who may not open all, also where the tests run as root.
#pragma once

#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <unistd.h>

namespace tars {

// As root nothing is closed: this thread alone asks as nobody, for as long as it lives. Whoever
// else runs the tests stays who it is.
class AsAnotherUser {
 public:
  AsAnotherUser() {
    if (is_root_) {
      EXPECT_EQ(::setfsuid(kNobody), 0);
    }
  }
  ~AsAnotherUser() {
    if (is_root_) ::setfsuid(0);
  }
  AsAnotherUser(const AsAnotherUser&) = delete;
  AsAnotherUser& operator=(const AsAnotherUser&) = delete;

 private:
  static constexpr uid_t kNobody = 65534;
  const bool is_root_ = ::geteuid() == 0;
};

}  // namespace tars
