#include "chat/mailbox.h"

#include <algorithm>
#include <utility>

namespace tars::chat {
namespace {

bool is_meant(const ChatRequest& request, std::string_view client_id, std::string_view family,
              std::string_view token_id) {
  return request.client_id == client_id && request.family == family &&
         (token_id.empty() || request.token_id == token_id);
}

const std::string& client_of(const Command& command) {
  struct Visitor {
    const std::string& operator()(const SubmitCommand& c) const { return c.request.client_id; }
    const std::string& operator()(const FollowCommand& c) const { return c.client_id; }
    const std::string& operator()(const CancelCommand& c) const { return c.client_id; }
  };
  return std::visit(Visitor{}, command);
}

}  // namespace

bool Mailbox::push(Command& command) {
  {
    std::lock_guard lock(mutex_);
    if (closed_ || waiting_ >= capacity_) return false;
    const std::string& client = client_of(command);
    auto line = std::ranges::find(lines_, client, &Line::client_id);
    std::list<Line> newcomer;
    if (line == lines_.end()) line = newcomer.insert(newcomer.end(), Line{client, {}});
    line->items.push_back(Item{std::move(command)});
    lines_.splice(lines_.end(), newcomer);
    ++waiting_;
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
  changed_.wait_for(lock, patience, [this] { return nudged_ || !ended_.empty() || waiting_ > 0; });
  Work work;
  work.nudged = std::exchange(nudged_, false);
  work.ended.swap(ended_);
  if (waiting_ == 0) return work;
  Line& line = lines_.front();
  Item& item = line.items.front();
  if (const auto* submit = std::get_if<SubmitCommand>(&item.command)) {
    const ChatRequest& request = submit->request;
    in_hand_ = InHand{request.client_id, request.family, request.token_id, item.revoked};
  }
  work.command = std::move(item.command);
  line.items.pop_front();
  --waiting_;
  if (line.items.empty()) {
    lines_.pop_front();
  } else {
    lines_.splice(lines_.end(), lines_, lines_.begin());
  }
  return work;
}

void Mailbox::revoke(std::string_view client_id, std::string_view family,
                     std::string_view token_id) {
  std::lock_guard lock(mutex_);
  const auto line = std::ranges::find(lines_, client_id, &Line::client_id);
  if (line != lines_.end()) {
    for (Item& item : line->items) {
      const auto* submit = std::get_if<SubmitCommand>(&item.command);
      if (submit && is_meant(submit->request, client_id, family, token_id)) item.revoked = true;
    }
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
  for (Line& line : lines_) {
    for (Item& item : line.items) left.push_back(std::move(item.command));
  }
  lines_.clear();
  waiting_ = 0;
  return left;
}

}  // namespace tars::chat
