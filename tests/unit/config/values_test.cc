#include "config/values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace tars::config {
namespace {

Values merged(std::vector<Assignment> flags, std::vector<Assignment> environment = {}) {
  environment.emplace_back("HOME", "/home/ann");
  Sources sources;
  sources.flags = std::move(flags);
  sources.environment = std::move(environment);
  return Values::merge(sources).value();
}

TEST(Values, HoldsADefaultForEveryOption) {
  const Values values = merged({});
  for (const Option& option : options()) {
    EXPECT_EQ(values.text(option.name), option.initial);
    EXPECT_EQ(values.setting(option.name).origin, "default");
    EXPECT_TRUE(values.setting(option.name).is_default);
  }
}

TEST(Values, ADefaultThatIsWrittenDownIsGiven) {
  const Values values = merged({{"TARS_PORT", "8000"}});
  EXPECT_TRUE(values.setting("TARS_PORT").is_default);
  EXPECT_TRUE(values.is_given("TARS_PORT"));
  EXPECT_FALSE(values.is_given("TARS_HOST"));
  EXPECT_TRUE(values.is_set("TARS_HOST"));
}

TEST(Values, GettersReadTheirType) {
  const Values values = merged({{"TARS_PORT", "9000"},
                                {"MODEL_TOP_P", "0.5"},
                                {"NAS_WATCH_ENABLED", "yes"},
                                {"ADMIN_CLIENTS", "ann, bob"},
                                {"RUNS_PER_CLIENT", "2,3"},
                                {"JWT_PREVIOUS_VALID_UNTIL", "1970-01-01T00:01:00Z"}});
  EXPECT_EQ(values.integer("TARS_PORT"), 9000);
  EXPECT_EQ(values.integer("MODEL_THREADS"), 0);
  EXPECT_EQ(values.number("MODEL_TOP_P"), 0.5);
  EXPECT_TRUE(values.boolean("NAS_WATCH_ENABLED"));
  EXPECT_THAT(values.list("ADMIN_CLIENTS"), testing::ElementsAre("ann", "bob"));
  EXPECT_EQ(values.pair("RUNS_PER_CLIENT"), std::make_pair(2, 3));
  EXPECT_EQ(unix_seconds(values.time("JWT_PREVIOUS_VALID_UNTIL").value()), 60);
}

TEST(Values, HomeIsPutInFrontOfPaths) {
  const Values values = merged({{"MODEL_PATH", "~/m.gguf"}, {"TLS_KEY_PATH", "/k~/x"}});
  EXPECT_EQ(values.path("TARS_DATA_DIR"), "/home/ann/.local/share/tars");
  EXPECT_EQ(values.path("MODEL_PATH"), "/home/ann/m.gguf");
  EXPECT_EQ(values.path("TLS_KEY_PATH"), "/k~/x");
}

TEST(Values, AHomeIsAskedForOnlyWhereNeeded) {
  const auto none = Values::merge({});
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("TARS_DATA_DIR begins with ~/ but HOME is not set"),
            std::string::npos);
  Sources sources;
  sources.flags = {{"TARS_DATA_DIR", "/data"}};
  EXPECT_TRUE(Values::merge(sources));
}

TEST(Values, CacheHomeFollowsTheDesktopRules) {
  EXPECT_EQ(merged({}).cache_home(), "/home/ann/.cache");
  EXPECT_EQ(merged({}, {{"XDG_CACHE_HOME", "/c"}}).cache_home(), "/c");
}

TEST(Values, AWrongNameOrTypeIsAFaultOfTheProgram) {
  const Values values = merged({});
  EXPECT_THROW(values.text("NO_SUCH_OPTION"), std::logic_error);
  EXPECT_THROW(values.text("BACKEND_PORT"), std::logic_error);
  EXPECT_THROW(values.integer("TARS_HOST"), std::logic_error);
}

}  // namespace
}  // namespace tars::config
