#include "auth/flat_json.h"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>

namespace tars::auth {

namespace {

namespace json = boost::json;
using Code = json::error_code;

// Boost.JSON calls these while it reads; false with a code ends the parse. Only names and values of
// the outer object (depth 1) are kept.
struct Collector {
  // NOLINTBEGIN(readability-identifier-naming): Boost.JSON looks for these names.
  static constexpr std::size_t max_object_size = 32;
  static constexpr std::size_t max_array_size = 64;
  static constexpr std::size_t max_key_size = 64;
  static constexpr std::size_t max_string_size = 1024;
  // NOLINTEND(readability-identifier-naming)

  std::vector<Member> members;
  std::string buffer;  // a text that comes in parts (escapes)
  int depth = 0;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return ++depth > 0; }
  bool on_object_end(std::size_t, Code&) { return depth-- > 0; }
  bool on_array_begin(Code& code) {
    if (depth++ > 0) return true;
    code = json::error::syntax;  // the outermost value must be an object
    return false;
  }
  bool on_array_end(std::size_t, Code&) { return depth-- > 0; }

  bool on_key_part(json::string_view part, std::size_t, Code&) { return append(part); }
  bool on_key(json::string_view part, std::size_t, Code& code) {
    append(part);
    std::string name = std::exchange(buffer, {});
    if (depth != 1) return true;
    const auto same = [&](const Member& m) { return m.name == name; };
    if (std::any_of(members.begin(), members.end(), same)) {
      code = json::error::syntax;
      return false;
    }
    members.push_back({std::move(name), {}});
    return true;
  }

  bool on_string_part(json::string_view part, std::size_t, Code&) { return append(part); }
  bool on_string(json::string_view part, std::size_t, Code& code) {
    append(part);
    return keep(std::exchange(buffer, {}), code);
  }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, Code& code) { return keep(value, code); }
  bool on_uint64(std::uint64_t, json::string_view, Code& code) { return keep({}, code); }
  bool on_double(double, json::string_view, Code& code) { return keep({}, code); }
  bool on_bool(bool, Code& code) { return keep({}, code); }
  bool on_null(Code& code) { return keep({}, code); }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }

 private:
  bool append(json::string_view part) {
    buffer.append(part.data(), part.size());
    return true;
  }
  bool keep(decltype(Member::value) value, Code& code) {
    if (depth == 0) {
      code = json::error::syntax;
      return false;
    }
    if (depth == 1) members.back().value = std::move(value);
    return true;
  }
};

}  // namespace

std::optional<FlatObject> FlatObject::parse(std::string_view text) {
  json::parse_options options;
  options.max_depth = 8;
  json::basic_parser<Collector> parser(options);
  Code code;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), code);
  if (code.failed() || used != text.size() || !parser.done()) return std::nullopt;
  FlatObject out;
  out.members_ = std::move(parser.handler().members);
  return out;
}

bool FlatObject::has(std::string_view name) const {
  return std::any_of(members_.begin(), members_.end(),
                     [&](const Member& m) { return m.name == name; });
}

const std::string* FlatObject::text(std::string_view name) const {
  for (const Member& member : members_) {
    if (member.name == name) return std::get_if<std::string>(&member.value);
  }
  return nullptr;
}

const std::int64_t* FlatObject::integer(std::string_view name) const {
  for (const Member& member : members_) {
    if (member.name == name) return std::get_if<std::int64_t>(&member.value);
  }
  return nullptr;
}

}  // namespace tars::auth
