// How runs and conversations are kept: what an operator can set, then what is the same everywhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace tars::chat {

struct Options {
  std::chrono::seconds grace{30};  // a run without followers, after a lost socket
  std::chrono::seconds retention{
      std::chrono::hours{24}};  // a finished run can be replayed this long
  int running_per_client = 4;
  int waiting_per_client = 16;
  int waiting_total = 256;
  std::string system_prompt;  // first message of every prompt; empty = none

  // -- no option sets these: tests do
  std::chrono::milliseconds flush_interval{250};  // a token is stored at most this late
  // Beginnings and ends of runs are stored at once, but no more often than this: those of hundreds
  // of answers then share a transaction, and the pages in it.
  std::chrono::milliseconds commit_interval{4};
  // Of ended runs the youngest stay in memory, within both bounds; others are read from the store.
  std::size_t max_ended_runs_in_memory = 256;
  std::size_t max_ended_bytes_in_memory = 16 << 20;
};

}  // namespace tars::chat
