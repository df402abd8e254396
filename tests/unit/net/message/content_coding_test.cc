#include "net/message/content_coding.h"

#include <gtest/gtest.h>

namespace tars::net {
namespace {

TEST(ContentCoding, TakesWhatIsListed) {
  for (const char* value :
       {"gzip", "GZIP", "deflate, gzip;q=1.0", "br;q=1, gzip;q=0.5", "*", "gzip ; q=0.001",
        "identity;q=0, *;q=0.1", "*;q=0, gzip", "br;q=0, gzip", "br;q=0,gzip;q=1"}) {
    EXPECT_TRUE(accepts_coding(value, "gzip")) << value;
  }
}

TEST(ContentCoding, LeavesOutWhatIsNot) {
  for (const char* value : {"", "identity", "br", "gzip;q=0", "gzip; Q=0.000", "*;q=0", "xgzip",
                            "gzip;q=0, *", ",;=", "\"gzip\""}) {
    EXPECT_FALSE(accepts_coding(value, "gzip")) << value;
  }
}

}  // namespace
}  // namespace tars::net
