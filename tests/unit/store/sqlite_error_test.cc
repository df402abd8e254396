#include "store/sqlite_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "../../support/another_user.h"
#include "../../support/descriptor_limit.h"
#include "../../support/temp_folder.h"

namespace tars::store {
namespace {

using ::testing::HasSubstr;

TEST(SqliteError, NamesCausePathAndFix) {
  struct Case {
    int code;
    const char* cause;
    const char* fix;
  };
  for (const Case& c : {Case{SQLITE_FULL, "the disk is full", "free some space"},
                        Case{SQLITE_IOERR_SHMSIZE, "the disk is full", "free some space"},
                        Case{SQLITE_READONLY, "read-only", "make the file and its folder writable"},
                        Case{SQLITE_READONLY_DIRECTORY, "read-only", "writable"},
                        Case{SQLITE_CORRUPT, "damaged", "restore"},
                        Case{SQLITE_CORRUPT_INDEX, "damaged", "restore"},
                        Case{SQLITE_NOTADB, "is not a database", "move it away"},
                        Case{SQLITE_CANTOPEN, "cannot be opened", "TARS_DATA_DIR"},
                        Case{SQLITE_BUSY, "in use by another program", "end that program"},
                        Case{SQLITE_IOERR_READ, "cannot be read or written", "check the disk"},
                        Case{SQLITE_MISUSE, "the database failed", "report"}}) {
    const Error error = sqlite_error(nullptr, c.code, "/data/tars.db");
    EXPECT_EQ(error.code, ErrorCode::store_unavailable);
    EXPECT_THAT(error.message, HasSubstr(c.cause));
    EXPECT_THAT(error.message, HasSubstr("/data/tars.db"));
    EXPECT_THAT(error.message, HasSubstr(c.fix));
  }
}

TEST(SqliteError, TellsWhyAFileCannotBeOpened) {
  const TempFolder folder;
  const std::string path = (folder.path() / "tars.db").string();
  std::ofstream(path) << "";
  std::filesystem::permissions(path, std::filesystem::perms::none);
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  sqlite3* handle = nullptr;
  {
    const AsAnotherUser nobody;
    EXPECT_EQ(::sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr),
              SQLITE_CANTOPEN);
  }
  EXPECT_THAT(sqlite_error(handle, SQLITE_CANTOPEN, path).message,
              ::testing::AllOf(HasSubstr("this user may not open"), HasSubstr("sudo chown -R")));
  ::sqlite3_close(handle);
  {
    const DescriptorLimit none(0);
    EXPECT_EQ(::sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr),
              SQLITE_CANTOPEN);
  }
  EXPECT_THAT(sqlite_error(handle, SQLITE_CANTOPEN, path).message, HasSubstr("ulimit -n"));
  ::sqlite3_close(handle);
}

TEST(SqliteError, NamesAnInMemoryDatabase) {
  EXPECT_THAT(sqlite_error(nullptr, SQLITE_NOMEM).message, HasSubstr(":memory:"));
}

}  // namespace
}  // namespace tars::store
