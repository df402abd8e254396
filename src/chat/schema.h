// The tables of chat.db, as migrations.
#pragma once

#include <span>

#include "store/database.h"

namespace tars::chat {

// Times are microseconds since 1970. Every table is read with its client_id, or by a run of that
// client.
std::span<const store::Migration> schema();

}  // namespace tars::chat
