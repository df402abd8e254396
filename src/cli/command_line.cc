#include "cli/command_line.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>

#include "config/option.h"
#include "config/suggest.h"

namespace tars::cli {
namespace {

Error refuse(std::string message) {
  return make_error(ErrorCode::config_error, std::move(message) + "; see tars --help");
}

std::string description(const config::Option& option) {
  std::string out(option.help);
  out += " Value: " + config::expected_value(option);
  if (!option.initial.empty()) out += "; default " + std::string(option.initial);
  if (option.initial.empty() && !option.unset_means.empty()) {
    out += "; default: " + std::string(option.unset_means);
  }
  out += ".";
  if (option.effect == config::Effect::later) out += " No effect in this version.";
  return out;
}

// --nearest-flag for a mistyped one.
std::string suggestion(std::string flag) {
  flag = flag.substr(0, flag.find('='));
  flag.erase(0, flag.find_first_not_of('-'));
  for (char& c : flag) {
    c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  const auto nearest = config::nearest_option(flag, config::likely_distance(flag));
  return nearest ? " (did you mean --" + config::flag_name(*nearest) + "?)" : "";
}

// "--tars-port or --port"
std::string all_names(const CLI::Option& option) {
  std::string out;
  for (const std::string& name : option.get_lnames()) out += (out.empty() ? "--" : " or --") + name;
  return out;
}

// One parse: CLI11 writes into these members.
class Parser {
 public:
  Parser();
  Result<Command> parse(std::vector<std::string> arguments);

 private:
  void add_option_flags();
  void add_value(const std::string& flags, std::string_view name, const std::string& text,
                 config::Group group);
  CLI::App* add_verb(CLI::App& parent, const char* name, const char* text, Verb verb);
  CLI::App* add_group(const char* name, const char* text);
  void add_token_verbs();
  void add_model_verbs();
  void add_backup_verbs();
  std::string help_text() const;
  const CLI::Option* find_option(const std::string& flag) const;
  std::string full_name(const CLI::App& verb) const;
  Result<Command> finish();

  CLI::App app_{"T.A.R.S., an AI gateway that runs on your own machine", "tars"};
  std::map<std::string, std::string, std::less<>> values_;  // by option name, alias or NAME_FILE
  std::vector<std::pair<CLI::Option*, std::string>> given_;
  std::vector<std::pair<CLI::App*, Verb>> verbs_;
  std::vector<CLI::App*> groups_;  // of verbs
  std::string env_file_;
  CLI::Option* env_file_option_ = nullptr;
  bool version_ = false;
  Command command_;
};

Parser::Parser() {
  // Extras are kept, because the errors about them are better written here.
  app_.allow_extras();
  app_.fallthrough();
  app_.set_help_flag("-h,--help", "This text");
  app_.add_flag("--version", version_, "The version");
  env_file_option_ = app_.add_option(
      "--env-file", env_file_,
      "Read options from this file instead of .env in the working folder; paths in it count from "
      "its folder");
  add_verb(app_, "serve", "Run the server (also when no verb is given)", Verb::serve);
  add_verb(app_, "version", "Print the version", Verb::version);
  CLI::App* config = add_group("config", "Options: check, doc, env");
  add_verb(*config, "check", "Show every option in effect and where it comes from",
           Verb::config_check);
  add_verb(*config, "doc", "Print the reference page of all options", Verb::config_doc);
  add_verb(*config, "env", "Print an example .env", Verb::config_env);
  add_token_verbs();
  add_model_verbs();
  add_backup_verbs();
  add_option_flags();
}

CLI::App* Parser::add_group(const char* name, const char* text) {
  CLI::App* group = app_.add_subcommand(name, text);
  group->set_help_flag();
  group->require_subcommand(1);
  groups_.push_back(group);
  return group;
}

void Parser::add_token_verbs() {
  CLI::App* token = add_verb(app_, "token", "Make a pair of tokens for a client", Verb::token);
  token->add_option("--client-id", command_.client_id, "Whom it is for: 1-128 of A-Za-z0-9._:@-")
      ->required();
  token->add_option("--device-name", command_.device_name, "Shown in lists of devices");
  token->add_option("--device-type", command_.device_type, "Likewise");
  token->add_flag("--json", command_.json, "Answer as POST /auth/token does");
  CLI::App* devices = add_group("devices", "Devices that hold tokens: list, revoke");
  CLI::App* list =
      add_verb(*devices, "list", "Show the devices of all clients, or of one", Verb::devices_list);
  list->add_option("--client-id", command_.client_id, "Only this client's");
  list->add_flag("--json", command_.json, "One JSON object");
  CLI::App* revoke = add_verb(*devices, "revoke", "End a device's tokens and close its sockets",
                              Verb::devices_revoke);
  revoke->add_option("SID", command_.sid, "The device, as the list names it")->required();
}

void Parser::add_model_verbs() {
  CLI::App* model = add_group("model", "Models: list, pull, prepare");
  CLI::App* list = add_verb(*model, "list", "Show the models that are there and which is in use",
                            Verb::model_list);
  list->add_flag("--json", command_.json, "One JSON object");
  CLI::App* pull = add_verb(*model, "pull", "Bring a GGUF into the data folder", Verb::model_pull);
  pull->add_option("SOURCE", command_.input, "http://..., https://... or a file")->required();
  pull->add_option("--sha256", command_.sha256, "Refuse it unless it has this hash");
  pull->add_option("--name", command_.name, "What to call the file there");
  pull->add_flag("--force", command_.force, "Replace a model of that name");
  CLI::App* prepare =
      add_verb(*model, "prepare", "Rewrite a GGUF in the format that computes fastest here",
               Verb::model_prepare);
  prepare->add_option("IN", command_.input, "The GGUF to read")->required();
  prepare->add_option("OUT", command_.output, "The GGUF to write")->required();
  command_.format = "q8_0";
  prepare->add_option("--format", command_.format, "q4_0 or q8_0");
  prepare->add_flag("--force", command_.force, "Replace OUT where it exists");
}

void Parser::add_backup_verbs() {
  CLI::App* backup =
      add_verb(app_, "backup",
               "Copy conversations, devices and secrets, also while the server runs", Verb::backup);
  backup->add_option("PATH", command_.output, "The folder to make")->required();
  CLI::App* restore = add_verb(app_, "restore", "Put a backup into the data folder", Verb::restore);
  restore->add_option("PATH", command_.input, "The folder that tars backup made")->required();
  restore->add_flag("--force", command_.force, "Replace what the data folder holds");
}

CLI::App* Parser::add_verb(CLI::App& parent, const char* name, const char* text, Verb verb) {
  CLI::App* sub = parent.add_subcommand(name, text);
  sub->set_help_flag();  // --help falls through to the program's, see help_text()
  verbs_.emplace_back(sub, verb);
  return sub;
}

void Parser::add_value(const std::string& flags, std::string_view name, const std::string& text,
                       config::Group group) {
  CLI::Option* option = app_.add_option(flags, values_[std::string(name)], text);
  option->group(std::string(config::group_title(group)))->type_name("VALUE");
  given_.emplace_back(option, name);
}

void Parser::add_option_flags() {
  for (const config::Option& option : config::options()) {
    std::string flags = "--" + config::flag_name(option.name);
    if (!option.short_flag.empty()) flags += ",--" + std::string(option.short_flag);
    add_value(flags, option.name, description(option), option.group);
    if (!option.alias.empty()) {
      add_value("--" + config::flag_name(option.alias), option.alias,
                "The same as --" + config::flag_name(option.name) + ".", option.group);
    }
    if (option.secret) {
      const std::string file = std::string(option.name) + "_FILE";
      add_value("--" + config::flag_name(file), file, "A file that holds it.", option.group);
    }
  }
}

Result<Command> Parser::parse(std::vector<std::string> arguments) {
  std::ranges::reverse(arguments);  // as CLI11 wants them
  try {
    app_.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    command_.verb = Verb::help;
    command_.text = help_text();
    return std::move(command_);
  } catch (const CLI::ArgumentMismatch& mismatch) {
    const std::string what = mismatch.what();
    const std::string flag = what.substr(0, what.find(':'));
    const CLI::Option* const option = find_option(flag);
    if (option != nullptr && option->count() > 1)
      return refuse(all_names(*option) + " is given twice");
    return refuse(what.find("missing") != std::string::npos ||
                          what.find("required") != std::string::npos
                      ? flag + " needs one value"
                      : what);
  } catch (const CLI::RequiredError& missing) {
    const std::string what = missing.what();
    if (what.find("subcommand") == std::string::npos) return refuse(what);
    if (app_.got_subcommand("config")) return refuse("config needs one of check, doc, env");
    if (app_.got_subcommand("devices")) return refuse("devices needs one of list, revoke");
    return refuse("model needs one of list, pull, prepare");
  } catch (const CLI::ParseError& error) {
    std::string what = error.what();
    std::ranges::replace(what, '\n', ' ');
    return refuse(what);
  }
  return finish();
}

// "devices list"
std::string Parser::full_name(const CLI::App& verb) const {
  const bool is_top = verb.get_parent() == &app_;
  return (is_top ? "" : verb.get_parent()->get_name() + " ") + verb.get_name();
}

// The program's own, or that of the verb that was given.
const CLI::Option* Parser::find_option(const std::string& flag) const {
  for (const auto& [sub, verb] : verbs_) {
    if (!sub->parsed()) continue;
    if (const CLI::Option* own = sub->get_option_no_throw(flag)) return own;
  }
  return app_.get_option_no_throw(flag);
}

// Of a verb its own few lines; of the server, which takes every option, the whole.
std::string Parser::help_text() const {
  for (const auto& [sub, verb] : verbs_) {
    if (!sub->parsed() || verb == Verb::serve) continue;
    return app_.get_formatter()->make_help(sub, "tars " + full_name(*sub),
                                           CLI::AppFormatMode::Normal) +
           "\nOptions of the server count here too (TARS_DATA_DIR above all): tars --help\n";
  }
  for (const CLI::App* group : groups_) {
    if (!group->parsed()) continue;
    return app_.get_formatter()->make_help(group, "tars " + group->get_name(),
                                           CLI::AppFormatMode::Normal);
  }
  return app_.get_formatter()->make_help(&app_, app_.get_name(), CLI::AppFormatMode::Normal);
}

Result<Command> Parser::finish() {
  for (const std::string& extra : app_.remaining(true)) {
    if (extra.starts_with('-')) {
      return refuse("there is no option " + extra.substr(0, extra.find('=')) + suggestion(extra));
    }
    return refuse("there is no verb or value \"" + extra + "\" here");
  }
  const CLI::App* given = nullptr;
  for (const auto& [sub, verb] : verbs_) {
    if (!sub->parsed()) continue;
    if (given != nullptr) {
      return refuse("one verb at a time: both " + full_name(*given) + " and " + full_name(*sub) +
                    " are given");
    }
    given = sub;
    command_.verb = verb;
  }
  if (version_) command_.verb = Verb::version;
  if (env_file_option_->count() > 0) command_.env_file = env_file_;
  for (const auto& [option, name] : given_) {
    if (option->count() > 0) command_.flags.emplace_back(name, values_.at(name));
  }
  return std::move(command_);
}

}  // namespace

Result<Command> parse_command_line(const std::vector<std::string>& arguments) {
  return Parser().parse(arguments);
}

}  // namespace tars::cli
