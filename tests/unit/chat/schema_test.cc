#include "chat/schema.h"

#include <gtest/gtest.h>

#include <string>

#include "../../support/temp_folder.h"

namespace tars::chat {
namespace {

TEST(SchemaTest, OpensAndMigratesToTheNewest) {
  auto database = store::Database::open(":memory:", store::Durability::process_crash, schema());
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_EQ(database->schema_version(), static_cast<int>(schema().size()));
}

TEST(SchemaTest, LogsOfTheFirstVersionAreKept) {
  const TempFolder folder;
  {
    auto old = store::Database::open(folder.path() / "chat.db", store::Durability::process_crash,
                                     schema().first(1));
    ASSERT_TRUE(old) << old.error().message;
    for (const auto* row : {"('r1', 1, 'world', x'05000000')", "('r2', 0, 'x', x'01000000')",
                            "('r1', 0, 'Hello ', x'06000000')"}) {
      ASSERT_TRUE(old->execute(std::string("INSERT INTO run_log VALUES ") + row));
    }
  }
  auto database =
      store::Database::open(folder.path() / "chat.db", store::Durability::process_crash, schema());
  ASSERT_TRUE(database) << database.error().message;
  auto row = database->prepare(
      "SELECT group_concat(text, ''), count(*) FROM"
      " (SELECT text FROM run_log WHERE run_id = 'r1' ORDER BY first)");
  ASSERT_TRUE(row->step());
  EXPECT_EQ(row->text(0), "Hello world");
  EXPECT_EQ(row->integer(1), 2);
}

TEST(SchemaTest, ALogHasNoTokenTwice) {
  auto database = store::Database::open(":memory:", store::Durability::process_crash, schema());
  ASSERT_TRUE(database);
  const auto insert = [&](std::string_view run, int first) {
    auto row = database->prepare(
        "INSERT INTO run_log (run_id, first, text, lengths) VALUES (?, ?, '', x'')");
    return row->bind(1, run).bind(2, std::int64_t{first}).run().has_value();
  };
  EXPECT_TRUE(insert("r1", 0));
  EXPECT_TRUE(insert("r1", 1));
  EXPECT_TRUE(insert("r2", 0));
  EXPECT_FALSE(insert("r1", 1));
}

TEST(SchemaTest, AMessageIdIsUniquePerClient) {
  auto database = store::Database::open(":memory:", store::Durability::process_crash, schema());
  ASSERT_TRUE(database);
  const auto insert = [&](std::string_view id, std::string_view client) {
    auto run = database->prepare(
        "INSERT INTO runs (id, client_id, conversation_id, message_id, content_hash, model, status,"
        " created_at) VALUES (?, ?, 'c', 'm', 'h', 'x', 'queued', 1)");
    return run->bind(1, id).bind(2, client).run().has_value();
  };
  EXPECT_TRUE(insert("r1", "alice"));
  EXPECT_TRUE(insert("r2", "bob"));
  EXPECT_FALSE(insert("r3", "alice"));
}

}  // namespace
}  // namespace tars::chat
