// A token service on a folder of its own, and a desk in front of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "../../../support/temp_folder.h"
#include "app/control/control_desk.h"
#include "auth/token_service.h"

namespace tars::app {

class ControlFixture : public testing::Test {
 protected:
  ControlFixture() {
    options_.secret_key = std::string(32, 'k');
    tokens_ = auth::TokenService::open(folder_.path() / "auth.db", options_, clock_).value();
  }
  ~ControlFixture() override { tokens_->shutdown(); }

  ControlDesk desk() {
    return ControlDesk(
        {*tokens_, clock_,
         [](const std::string& client, const std::string&) -> std::size_t {
           return client == "alice" ? 2 : 0;
         },
         [] { return RunningServer{"1.0", "/m.gguf", "CPU", {{"embedded", "m"}}}; }});
  }
  Result<ControlAnswer> ask(const ControlRequest& request) {
    std::promise<Result<ControlAnswer>> promise;
    auto answer = promise.get_future();
    desk().handle(request,
                  [&promise](Result<ControlAnswer> a) { promise.set_value(std::move(a)); });
    return answer.get();
  }
  static ControlRequest issue(const std::string& client) {
    ControlRequest request{.what = ControlRequest::What::issue};
    request.enroll.client_id = client;
    request.enroll.device_name = "Phone";
    return request;
  }
  static ControlRequest revoke(const std::string& family) {
    ControlRequest request{.what = ControlRequest::What::revoke};
    request.family = family;
    return request;
  }

  const TempFolder folder_;
  const SystemClock clock_;
  auth::Options options_;
  std::unique_ptr<auth::TokenService> tokens_;
};

}  // namespace tars::app
