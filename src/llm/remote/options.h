// What an operator may say about model servers behind HTTP.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "net/client/endpoint.h"

namespace tars::llm {

struct RemoteOptions {
  std::vector<net::Endpoint> hosts;  // the least busy that has the model is asked first
  std::string model;    // for requests that name none; empty = the first that the server lists
  std::string api_key;  // OpenAI-compatible servers only; sent as a bearer
  // Tokens, prompt and answer; 0 = the server's own. Ollama is told; of every server it bounds the
  // history that is read for a prompt.
  int context_length = 0;
  int slots = 256;  // answers at once, on all hosts together; past that: overloaded
  std::chrono::milliseconds connect_timeout{std::chrono::seconds{5}};
  std::chrono::milliseconds first_token_timeout{std::chrono::seconds{120}};  // from the request
  std::chrono::milliseconds idle_timeout{std::chrono::seconds{30}};  // between two tokens
  std::chrono::milliseconds check_interval{std::chrono::seconds{5}};  // of a host that is well
  std::chrono::milliseconds return_interval{std::chrono::seconds{1}};  // of one that is not
  // One that answers neither a check nor a request for so long, while it works, is unhealthy.
  std::chrono::milliseconds silent_at_most{std::chrono::seconds{30}};
  // For runs to end once they were cancelled, and for connections to be closed, at the end; a turn
  // of their thread is all they need.
  std::chrono::milliseconds end_timeout{std::chrono::seconds{5}};
  std::string ca_file;  // PEM; trusted besides the system's certificates
};

}  // namespace tars::llm
