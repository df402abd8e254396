#include "app/models/download_note.h"

#include <gtest/gtest.h>

#include <fstream>

#include "../../../support/temp_folder.h"

namespace tars::app {
namespace {

TEST(DownloadNote, ComesThrough) {
  const auto whole =
      parse_download_note(format_download_note({"https://h/x", "\"tag\"", 12345678901})).value();
  EXPECT_EQ(whole.url, "https://h/x");
  EXPECT_EQ(whole.validator, "\"tag\"");
  EXPECT_EQ(whole.total, 12345678901U);
  EXPECT_EQ(parse_download_note(format_download_note({.url = "u"}))->total, std::nullopt);
}

TEST(DownloadNote, AnythingElseIsNone) {
  for (const char* bad : {"", "{}", "[]", R"({"url":5})", R"({"url":"u","total":-1})"}) {
    EXPECT_FALSE(parse_download_note(bad)) << bad;
  }
}

TEST(DownloadNote, LiesInAFile) {
  const TempFolder folder;
  const auto path = folder.path() / "note";
  EXPECT_FALSE(read_download_note(path));
  ASSERT_TRUE(write_download_note(path, {.url = "u"}));
  EXPECT_EQ(read_download_note(path)->url, "u");
  EXPECT_FALSE(write_download_note("/no/such/folder/note", {}));
}

}  // namespace
}  // namespace tars::app
