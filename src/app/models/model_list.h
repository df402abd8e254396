// The models that this installation could answer with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/control/control_message.h"
#include "base/error.h"
#include "config/settings.h"

namespace tars::app {

struct ListedModel {
  std::string name;  // the server's for it, or the file's
  // What a chat names: with its backend's prefix where that is no default; "" for a file that is
  // not in use.
  std::string model = {};
  std::string where;    // the file, or the servers' addresses
  std::string backend;  // embedded, ollama, openai
  std::string use;      // chat, embedding, or none; "" when nobody told
  std::string format;   // Q8_0; "" for a server's
  std::optional<std::uint64_t> bytes = {};
  bool in_use = false;
  std::string trouble = {};  // why it cannot be used; "" = nothing is known against it
};

// MODEL_PATH, the *.gguf of the models folders beside the default models, and what the configured
// model servers list. `running` is the server that holds the data folder, if any: what it uses is
// marked, else what a start would use.
std::vector<ListedModel> list_models(const config::Settings& settings,
                                     const std::optional<RunningServer>& running);

// Where a model in the process computes, with its memory, for people: in the running server, else
// where one would after a start. "" where no model is in the process.
std::string model_device(const config::Settings& settings,
                         const std::optional<RunningServer>& running);

std::string models_json(const std::vector<ListedModel>& models, const std::string& device);
std::string models_text(const std::vector<ListedModel>& models, const std::string& device);

}  // namespace tars::app
