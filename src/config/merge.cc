#include "config/merge.h"

#include <algorithm>
#include <array>

#include "base/read_file.h"
#include "base/utf8.h"
#include "config/dotenv.h"
#include "config/open_to_others.h"
#include "config/scalar.h"
#include "config/suggest.h"

namespace tars::config {
namespace {

constexpr std::string_view kFileSuffix = "_FILE";
constexpr std::size_t kMaxSecretFileBytes = 64 * 1024;
// A typing error changes a letter or two; further away it is a name of somebody else's.
constexpr std::size_t kTypoDistance = 2;

Error config_error(std::string message) {
  return make_error(ErrorCode::config_error, std::move(message));
}

// The option that NAME, an alias or SECRET_FILE belongs to.
const Option* owner_of(std::string_view name) {
  if (const Option* option = find_option(name)) return option;
  if (!name.ends_with(kFileSuffix)) return nullptr;
  const Option* option = find_option(name.substr(0, name.size() - kFileSuffix.size()));
  return option != nullptr && option->secret ? option : nullptr;
}

std::string did_you_mean(std::string_view name) {
  const auto nearest = nearest_option(name, likely_distance(name));
  return nearest ? "did you mean " + std::string(*nearest) + "?" : "`tars config doc` lists them";
}

// Variables of the build and the test commands, which have no meaning for the program.
bool belongs_to_scripts(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kScripts = {
      "TARS_BIN", "TARS_BUILD_JOBS", "TARS_LLAMA_DIR", "TARS_LLAMA_FLAGS", "TARS_PAGES_DIR",
      "TARS_GPU", "TARS_PORTABLE",   "TARS_FUZZ",      "TARS_TESTS"};
  return std::ranges::find(kScripts, name) != kScripts.end() || name.starts_with("TARS_TEST_");
}

// Does NAME, which belongs to `owner`, hold a path?
bool holds_path(const Option& owner, std::string_view name) {
  return owner.kind == Kind::path || find_option(name) == nullptr;
}

std::string shown(const Option& option, std::string_view value) {
  if (option.secret) return "the value";
  constexpr std::size_t kMaxShown = 80;
  std::string_view first = value.substr(0, kMaxShown);
  first = first.substr(0, complete_utf8_prefix(first));
  // One line, whatever was typed.
  return "\"" + replace_control_characters(replace_invalid_utf8(first)) +
         (value.size() > kMaxShown ? "…\"" : "\"");
}

}  // namespace

void Merge::give(std::string_view name, std::string_view value, std::string origin, Source source) {
  // An empty value counts as unset: it does not hide what an earlier source says.
  if (value.empty()) return;
  given_.insert_or_assign(std::string(name), Given{std::string(value), std::move(origin), source});
}

const Merge::Given* Merge::given(std::string_view name) const {
  const auto found = given_.find(name);
  return found == given_.end() ? nullptr : &found->second;
}

Result<void> Merge::add_dotenv(std::string_view path, std::string_view text) {
  Result<std::vector<DotenvEntry>> entries = parse_dotenv(text);
  if (!entries) {
    return config_error(std::string(path) + " " + entries.error().message + "; correct that line");
  }
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::string_view secret;
  for (DotenvEntry& entry : *entries) {
    const std::string where = std::string(path) + " line " + std::to_string(entry.line);
    const Option* owner = owner_of(entry.name);
    if (owner == nullptr) {
      return config_error(where + ": there is no option " + entry.name + "; " +
                          did_you_mean(entry.name));
    }
    // The file means the same wherever the program starts. (An absolute path replaces the folder.)
    if (holds_path(*owner, entry.name) && !entry.value.empty() && !entry.value.starts_with("~/")) {
      entry.value = (folder / entry.value).string();
    }
    if (owner->secret && !holds_path(*owner, entry.name) && !entry.value.empty()) {
      secret = owner->name;
    }
    give(entry.name, entry.value, where, Source::dotenv);
  }
  if (!secret.empty() && is_open_to_others(path)) {
    const std::string file(path);
    warnings_.push_back(std::string(secret) + ": every user may read " + file +
                        ", where it stands; chmod o= " + file);
  }
  return {};
}

Result<void> Merge::add_environment(const std::vector<Assignment>& environment) {
  for (const auto& [name, value] : environment) {
    if (owner_of(name) != nullptr) {
      give(name, value, "the environment", Source::environment);
      continue;
    }
    if (name.starts_with("TARS_") && !belongs_to_scripts(name)) {
      return config_error("the environment sets " + name +
                          ", but there is no such option: unset it or " + "correct its name; " +
                          did_you_mean(name));
    }
    const auto nearest = nearest_option(name, kTypoDistance);
    const std::size_t prefix = name.find('_');
    if (nearest && prefix != std::string::npos &&
        nearest->starts_with(name.substr(0, prefix + 1))) {
      warnings_.push_back("the environment sets " + name + ", which is no option; did you mean " +
                          std::string(*nearest) + "?");
    }
  }
  return {};
}

Result<void> Merge::add_flags(const std::vector<Assignment>& flags) {
  for (const auto& [name, value] : flags) {
    if (owner_of(name) == nullptr) {
      return config_error("there is no option --" + flag_name(name) + "; " + did_you_mean(name));
    }
    give(name, value, "--" + flag_name(name), Source::flag);
  }
  return {};
}

Result<std::vector<Chosen>> Merge::finish() {
  std::vector<Chosen> out;
  for (const Option& option : options()) {
    Result<Setting> setting = choose(option);
    if (!setting) return setting.error();
    out.push_back({&option, *std::move(setting)});
  }
  return out;
}

// The option's own name or its alias; from the same source both only when they agree.
Result<const Merge::Given*> Merge::choose_name(const Option& option) const {
  const Given* own = given(option.name);
  const Given* alias = option.alias.empty() ? nullptr : given(option.alias);
  if (own != nullptr && alias != nullptr && own->source != alias->source) {
    return own->source > alias->source ? own : alias;
  }
  if (own != nullptr && alias != nullptr && own->value != alias->value) {
    return config_error(std::string(option.name) + " (" + own->origin + ") and its other name " +
                        std::string(option.alias) + " (" + alias->origin +
                        ") have different values; remove one of them");
  }
  return own != nullptr ? own : alias;
}

Result<Setting> Merge::choose(const Option& option) {
  Result<const Given*> named = choose_name(option);
  if (!named) return named.error();
  const Given* file =
      option.secret ? given(std::string(option.name) + std::string(kFileSuffix)) : nullptr;
  if (*named != nullptr && file != nullptr && (*named)->source != file->source) {
    if ((*named)->source > file->source) {
      file = nullptr;
    } else {
      named = static_cast<const Given*>(nullptr);
    }
  }
  if (*named != nullptr && file != nullptr) {
    return config_error(std::string(option.name) + " (" + (*named)->origin + ") and " +
                        std::string(option.name) + "_FILE (" + file->origin +
                        ") are both set; remove one of them");
  }
  if (*named == nullptr && file == nullptr)
    return Setting{std::string(option.initial), std::string(kDefaultOrigin), true};
  Given source;
  if (file != nullptr) {
    Result<Given> read = read_secret_file(option, *file);
    if (!read) return read.error();
    source = *std::move(read);
  } else {
    source = **named;
  }
  if (auto checked = check_value(option, source.value); !checked) {
    return config_error(std::string(option.name) + ": " + shown(option, source.value) + " (" +
                        source.origin + ") " + checked.error().message);
  }
  // Spelled as in the table, so that nothing behind this has to compare without case.
  if (option.kind == Kind::choice) source.value = find_choice(option.choices, source.value).value();
  return Setting{source.value, source.origin, source.value == option.initial};
}

Result<Merge::Given> Merge::read_secret_file(const Option& option, const Given& file) {
  const std::string name = std::string(option.name) + std::string(kFileSuffix);
  const bool in_home = file.value.starts_with("~/");
  if (in_home && home_.empty()) return config_error(name + std::string(kNoHome));
  const std::filesystem::path path =
      in_home ? home_ / file.value.substr(2) : std::filesystem::path(file.value);
  Result<std::string> text = read_file(path, kMaxSecretFileBytes + 1);
  if (!text) {
    return config_error(name + ": cannot read " + file.value + " (" + text.error().message +
                        "); make it readable for this user or correct the path");
  }
  std::string content = *std::move(text);
  if (content.size() > kMaxSecretFileBytes) {
    return config_error(name + ": " + file.value +
                        " is larger than 64 KiB; name a file that holds the secret alone");
  }
  // What editors put around a secret is no part of it.
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  constexpr std::string_view kBlank = " \t\r\n";
  if (content.starts_with(kByteOrderMark)) content.erase(0, kByteOrderMark.size());
  content.erase(0, std::min(content.find_first_not_of(kBlank), content.size()));
  content.erase(content.find_last_not_of(kBlank) + 1);
  if (content.empty()) {
    return config_error(name + ": " + file.value + " is empty; put the secret into it");
  }
  if (is_open_to_others(path)) {
    warnings_.push_back(name + ": every user may read " + file.value + "; chmod o= " + file.value);
  }
  return Given{content, file.value + ", named by " + file.origin, file.source};
}

}  // namespace tars::config
