#include "chat/mailbox.h"

#include <utility>

namespace tars::chat {
namespace {

bool is_meant(const ChatRequest& request, std::string_view client_id, std::string_view family,
              std::string_view token_id) {
  return request.client_id == client_id && request.family == family &&
         (token_id.empty() || request.token_id == token_id);
}

}  // namespace

bool Mailbox::push(Command& command) {
  {
    std::lock_guard lock(mutex_);
    if (closed_ || commands_.size() >= capacity_) return false;
    commands_.push_back(Item{std::move(command)});
  }
  changed_.notify_one();
  return true;
}

void Mailbox::ended(std::shared_ptr<LiveRun> run) {
  {
    std::lock_guard lock(mutex_);
    ended_.push_back(std::move(run));
  }
  changed_.notify_one();
}

void Mailbox::nudge() {
  {
    std::lock_guard lock(mutex_);
    nudged_ = true;
  }
  changed_.notify_one();
}

Mailbox::Work Mailbox::take(std::chrono::steady_clock::duration patience) {
  std::unique_lock lock(mutex_);
  in_hand_.reset();
  changed_.wait_for(lock, patience,
                    [this] { return nudged_ || !ended_.empty() || !commands_.empty(); });
  Work work;
  work.nudged = std::exchange(nudged_, false);
  work.ended.swap(ended_);
  if (commands_.empty()) return work;
  Item& item = commands_.front();
  if (const auto* submit = std::get_if<SubmitCommand>(&item.command)) {
    const ChatRequest& request = submit->request;
    in_hand_ = InHand{request.client_id, request.family, request.token_id, item.revoked};
  }
  work.command = std::move(item.command);
  commands_.pop_front();
  return work;
}

void Mailbox::revoke(std::string_view client_id, std::string_view family,
                     std::string_view token_id) {
  std::lock_guard lock(mutex_);
  for (Item& item : commands_) {
    const auto* submit = std::get_if<SubmitCommand>(&item.command);
    if (submit && is_meant(submit->request, client_id, family, token_id)) item.revoked = true;
  }
  if (in_hand_ && in_hand_->client_id == client_id && in_hand_->family == family &&
      (token_id.empty() || in_hand_->token_id == token_id)) {
    in_hand_->revoked = true;
  }
}

bool Mailbox::in_hand_revoked() const {
  std::lock_guard lock(mutex_);
  return in_hand_ && in_hand_->revoked;
}

std::deque<Command> Mailbox::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  std::deque<Command> left;
  for (Item& item : commands_) left.push_back(std::move(item.command));
  commands_.clear();
  return left;
}

}  // namespace tars::chat
