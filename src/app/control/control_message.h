// What a verb asks of the server that holds the data folder, and the answer: a line of JSON each.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/token_service.h"
#include "base/error.h"

namespace tars::app {

inline constexpr std::size_t kMaxControlRequest = 16 * 1024;  // bytes of a line
inline constexpr std::size_t kControlPage = 200;              // families in one answer

struct ControlRequest {
  enum class What { status, issue, families, revoke };
  What what = What::status;
  auth::EnrollRequest enroll = {};  // issue
  auth::FamilyQuery query = {};     // families; the limit is kControlPage
  std::string family = {};          // revoke
};

struct IssuedPair {
  auth::TokenPair tokens;
  std::string family;
};

struct ListedFamily {
  auth::Device device;
  std::size_t sockets = 0;  // open now
};

struct RunningBackend {
  std::string name;
  std::string model;
};

struct RunningServer {
  std::string version;
  std::string model_path;  // of the model in the process; empty = it has none
  std::string device;      // where that one computes, with its memory, for people
  std::vector<RunningBackend> backends;  // the default first
};

// The part that was asked for; revoke answers with none.
struct ControlAnswer {
  std::optional<RunningServer> server = {};
  std::optional<IssuedPair> pair = {};
  std::vector<ListedFamily> families = {};
};

// Without the line's end. The parsers take what the formatters make and more, and answer
// invalid_json or invalid_message for anything else; an error comes through as io_error with its
// message.
std::string format_control_request(const ControlRequest& request);
Result<ControlRequest> parse_control_request(std::string_view line);
std::string format_control_answer(const Result<ControlAnswer>& answer);
Result<ControlAnswer> parse_control_answer(std::string_view line);

}  // namespace tars::app
