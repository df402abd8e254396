#include "config/document.h"

#include <algorithm>

#include "config/option.h"

namespace tars::config {
namespace {

constexpr Group kGroups[] = {Group::server, Group::http, Group::tokens,   Group::sockets,
                             Group::model,  Group::runs, Group::documents};

// `|` ends a cell of a markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string shown_default(const Option& option) {
  if (!option.initial.empty()) return "`" + std::string(option.initial) + "`";
  return option.unset_means.empty() ? "unset" : std::string(option.unset_means);
}

std::string notes(const Option& option) {
  std::string out(option.help);
  if (!option.alias.empty()) out += " Also " + std::string(option.alias) + ".";
  if (!option.short_flag.empty()) out += " Also `--" + std::string(option.short_flag) + "`.";
  if (option.secret)
    out += " Secret; " + std::string(option.name) + "_FILE names a file that holds it.";
  if (option.effect == Effect::later) out += " No effect in this version.";
  return out;
}

// What comes before an @ in an address may be a password.
std::string without_credentials(std::string value) {
  const std::size_t scheme = value.find("://");
  const std::size_t at = value.find('@');
  if (scheme != std::string::npos && at != std::string::npos && at > scheme) {
    value.replace(scheme + 3, at - scheme - 3, "[redacted]");
  }
  return value;
}

std::string shown_value(const Option& option, const Setting& setting) {
  if (setting.value.empty()) {
    return option.unset_means.empty() ? "(unset)"
                                      : "(unset: " + std::string(option.unset_means) + ")";
  }
  if (option.secret) return "[redacted]";
  std::string out = without_credentials(setting.value);
  std::ranges::replace(out, '\n', ' ');
  return out;
}

std::string env_value(const Option& option) {
  const std::string value(option.initial);
  return value.find(' ') == std::string::npos ? value : "\"" + value + "\"";
}

}  // namespace

std::string options_markdown() {
  std::string out =
      "# Options\n\n"
      "<!-- Written by `tars config doc`; a test compares it with the program. -->\n\n"
      "An option is an environment variable, a line in `.env`, and a flag in kebab-case "
      "(`--tars-port 9000` or\n`--tars-port=9000`). Of several, the flag counts, then the "
      "environment, then `.env`, then the default. An empty value\ncounts as unset. A value that "
      "is not possible, or an option that does not exist, stops the start. `tars config check`\n"
      "shows what is in effect and where it comes from.\n";
  for (const Group group : kGroups) {
    out += "\n## " + std::string(group_title(group)) +
           "\n\n| option | default | value | what it does |\n|---|---|---|---|\n";
    for (const Option& option : options()) {
      if (option.group != group) continue;
      out += "| `" + std::string(option.name) + "` | " + cell(shown_default(option)) + " | " +
             cell(expected_value(option)) + " | " + cell(notes(option)) + " |\n";
    }
  }
  return out;
}

std::string options_dotenv() {
  std::string out =
      "# Options of T.A.R.S. Copy this file to .env, remove the # before what you set.\n"
      "# Written by `tars config env`; docs/reference/options.md explains the values.\n";
  for (const Group group : kGroups) {
    out += "\n# --- " + std::string(group_title(group)) + "\n";
    for (const Option& option : options()) {
      if (option.group != group) continue;
      out += "\n# " + notes(option) + "\n# " + expected_value(option);
      if (option.initial.empty() && !option.unset_means.empty()) {
        out += "; unset: " + std::string(option.unset_means);
      }
      out += "\n#" + std::string(option.name) + "=" + env_value(option) + "\n";
    }
  }
  return out;
}

std::string effective_options(const Values& values) {
  std::string out;
  for (const Group group : kGroups) {
    out += "# " + std::string(group_title(group)) + "\n";
    for (const Option& option : options()) {
      if (option.group != group) continue;
      const Setting& setting = values.setting(option.name);
      out += std::string(option.name) + " = " + shown_value(option, setting) + "  (" +
             setting.origin + ")\n";
    }
  }
  return out;
}

}  // namespace tars::config
