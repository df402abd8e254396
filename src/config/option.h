// One operator option: everything the parser, the checks and the documents need to know about it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tars::config {

enum class Group { server, http, tokens, sockets, model, runs, documents };

// What a value may look like; option values are checked against it before anything uses them.
enum class Kind {
  text,     // min and max bound its bytes
  path,     // a leading ~/ is the home folder
  integer,  // min to max
  number,   // min to max, with a decimal point
  boolean,  // true, false, 1, 0, yes, no, on, off
  choice,   // one of `choices`, without regard to case
  list,     // comma-separated
  pair,     // two integers min to max, "4,16"
  url,      // http:// or https:// with a host
  time,     // RFC 3339 in UTC
};

enum class Effect {
  now,
  later,  // accepted and checked, but this version has no such feature: a warning at start
};

struct Option {
  std::string_view name;  // of the environment variable; the flag is its kebab-case
  Group group = Group::server;
  Kind kind = Kind::text;
  std::string_view initial = "";       // the default as an operator would write it; "" = unset
  std::string_view unset_means = "";   // for the documents, when `initial` is empty
  double min = 0;
  double max = 0;
  std::string_view unit = "";
  std::string_view choices = "";       // separated by |
  std::string_view keyword = "";       // a word that is allowed in place of a number
  bool secret = false;                 // never shown; NAME_FILE names a file that holds it
  std::string_view alias = "";         // another variable for the same option
  std::string_view short_flag = "";    // another flag for the same option
  Effect effect = Effect::now;
  std::string_view help;
};

// Every option there is, by group, in the order of the documents.
std::span<const Option> options();
// By name or alias; nullptr when there is none.
const Option* find_option(std::string_view name);

std::string_view group_title(Group group);
// TARS_PORT → tars-port.
std::string flag_name(std::string_view option_name);
// What a value must look like, for errors and documents: "an integer from 1 to 64".
std::string expected_value(const Option& option);

}  // namespace tars::config
