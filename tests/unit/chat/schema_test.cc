#include "chat/schema.h"

#include <gtest/gtest.h>

namespace tars::chat {
namespace {

TEST(SchemaTest, OpensAndMigratesToTheNewest) {
  auto database = store::Database::open(":memory:", store::Durability::process_crash, schema());
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_EQ(database->schema_version(), static_cast<int>(schema().size()));
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
