#include "auth/enrollment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service_fixture.h"

namespace tars::auth {
namespace {

using ::testing::HasSubstr;

TEST(Enrollment, NamesEveryBadField) {
  EnrollRequest bad = request(std::string(10'000, 'a'), std::string(129, 'x'));
  bad.device_type = std::string("a\0b", 3);
  const auto answer = admit(bad, test_options());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::invalid_request);
  ASSERT_EQ(answer.error().fields.size(), 3U);
  EXPECT_EQ(answer.error().fields[0].field, "client_id");
  EXPECT_EQ(answer.error().fields[1].field, "device_name");
  EXPECT_EQ(answer.error().fields[2].field, "device_type");
  EXPECT_THAT(answer.error().message, HasSubstr("client_id must be 1 to 128"));
  EXPECT_EQ(check_names(bad).error().fields.size(), 3U);
}

TEST(Enrollment, CountsCharactersNotBytes) {
  std::string name;
  for (int i = 0; i < 128; ++i) name += "\xf0\x9f\x98\x80";
  EXPECT_TRUE(admit(request("a", name), test_options()));
  EXPECT_FALSE(admit(request("a", name + "x"), test_options()));
  EXPECT_FALSE(admit(request("a", "\xff"), test_options()));
  EXPECT_FALSE(admit(request("a", "line\nbreak"), test_options()));
}

TEST(Enrollment, ClosedLetsNobodyIn) {
  Options options = test_options();
  options.enrollment = Enrollment::closed;
  EXPECT_EQ(admit(request("a"), options).error().code, ErrorCode::forbidden);
}

TEST(Enrollment, KeyMustBeExactlyTheKey) {
  Options options = test_options();
  options.enrollment = Enrollment::key;
  options.enrollment_key = "correct horse";
  EnrollRequest asked = request("a");
  EXPECT_EQ(admit(asked, options).error().code, ErrorCode::forbidden);
  for (const char* wrong : {"", "correct hors", "correct horse ", "Correct horse"}) {
    asked.enrollment_key = wrong;
    EXPECT_EQ(admit(asked, options).error().code, ErrorCode::forbidden) << wrong;
  }
  asked.enrollment_key = "correct horse";
  EXPECT_TRUE(admit(asked, options));
  options.enrollment_key.clear();
  asked.enrollment_key = "";
  EXPECT_FALSE(admit(asked, options)) << "an empty key is no key";
}

}  // namespace
}  // namespace tars::auth
