// The members of one JSON object, read strictly: what RFC 8725 asks for and JSON libraries let
// pass.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tars::auth {

// A text or a whole number; anything else (nested, fraction, bool, null) is kept as monostate, so
// that a reader sees the name taken but gets no value.
struct Member {
  std::string name;
  std::variant<std::monostate, std::string, std::int64_t> value;
};

// Owns its members. Never throws on what it reads.
class FlatObject {
 public:
  // nullopt: no JSON object, a name twice (also when spelled with escapes), bytes behind it, more
  // than 32 members, a name over 64 bytes, a text over 1 KiB, or nesting deeper than 8.
  static std::optional<FlatObject> parse(std::string_view json);

  // Of any type.
  bool has(std::string_view name) const;
  // nullptr when it is absent or of another type. Lives as long as this object.
  const std::string* text(std::string_view name) const;
  const std::int64_t* integer(std::string_view name) const;

 private:
  std::vector<Member> members_;
};

}  // namespace tars::auth
