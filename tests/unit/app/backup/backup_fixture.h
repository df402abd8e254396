// A data folder with some state in it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "../../../support/temp_folder.h"
#include "app/backup/backup.h"
#include "store/database.h"

namespace tars::app {

class BackupFixture : public testing::Test {
 protected:
  BackupFixture() {
    std::filesystem::create_directories(data_ / "models");
    write(data_ / "models" / "m.gguf", "weights");
    write(data_ / "jwt_secret", "secret");
    database(data_, "auth.db");
    set(data_, 1);
  }

  static void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  }
  static std::string read(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  static store::Database database(const std::filesystem::path& folder,
                                  const char* name = "chat.db") {
    static const std::vector<store::Migration> kSchema = {{1, "CREATE TABLE t(n INTEGER)"}};
    return store::Database::open(folder / name, store::Durability::process_crash, kSchema).value();
  }
  // The one number that the database holds.
  static void set(const std::filesystem::path& folder, int n) {
    store::Database opened = database(folder);
    ASSERT_TRUE(opened.execute("DELETE FROM t"));
    ASSERT_TRUE(opened.execute("INSERT INTO t VALUES (" + std::to_string(n) + ")"));
  }
  static std::int64_t get(const std::filesystem::path& folder) {
    store::Database opened = database(folder);
    auto statement = opened.prepare("SELECT n FROM t").value();
    EXPECT_TRUE(statement.step().value());
    return statement.integer(0);
  }
  static std::vector<std::string> names(const std::filesystem::path& folder) {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      out.push_back(entry.path().filename().string());
    }
    return out;
  }

  const TempFolder folder_;
  const SystemClock clock_;
  const std::filesystem::path data_ = folder_.path() / "data";
  const std::filesystem::path backup_ = folder_.path() / "backup";
};

}  // namespace tars::app
