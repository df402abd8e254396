#include "chat/client_key.h"

#include <gtest/gtest.h>

#include <set>

namespace tars::chat {
namespace {

TEST(ClientKey, NoTwoClientsShareOne) {
  const std::set<std::string> keys{client_key("a", "b"),   client_key("ab", ""),
                                   client_key("", "ab"),   client_key("a", "c"),
                                   client_key("a1:", "b"), client_key("a", "1:b")};
  EXPECT_EQ(keys.size(), 6U);
  EXPECT_EQ(client_key("a", "b"), client_key("a", "b"));
}

}  // namespace
}  // namespace tars::chat
