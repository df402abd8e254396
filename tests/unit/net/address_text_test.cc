#include "net/address_text.h"

#include <gtest/gtest.h>

namespace tars::net {
namespace {

TEST(AddressText, AMappedAddressIsWrittenAsWhatItIs) {
  const std::pair<const char*, const char*> rows[] = {{"::ffff:192.0.2.9", "192.0.2.9"},
                                                      {"192.0.2.9", "192.0.2.9"},
                                                      {"2001:db8::1", "2001:db8::1"},
                                                      {"::1", "::1"}};
  for (const auto& [address, text] : rows) {
    EXPECT_EQ(address_text(boost::asio::ip::make_address(address)), text);
  }
}

}  // namespace
}  // namespace tars::net
