#include "llm/llama/loaded_model.h"

#include <algorithm>

#include "test_model.h"

namespace tars::llm {
namespace {

bool never() { return false; }

std::vector<BatchToken> batch_of(const std::vector<TokenId>& tokens, int slot, int from = 0) {
  std::vector<BatchToken> batch;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    batch.push_back({tokens[i], from + static_cast<int>(i), slot, i + 1 == tokens.size()});
  }
  return batch;
}

TokenId best(std::span<const float> logits) {
  return static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

using LoadedModelDecode = LoadedModelTest;

TEST_F(LoadedModelDecode, KnowsTheCapitalOfFrance) {
  const auto tokens = model_->vocabulary().tokenize_text("The capital of France is");
  const auto batch = batch_of(tokens, 0);
  ASSERT_EQ(model_->decode(batch, never), DecodeOutcome::done);
  const auto logits = model_->logits(batch.size() - 1);
  ASSERT_EQ(logits.size(), model_->vocabulary().size());
  std::string word;
  model_->vocabulary().append_piece(best(logits), word);
  EXPECT_EQ(word, " Paris");
}

TEST_F(LoadedModelDecode, ARowWithoutLogitsIsEmpty) {
  const auto batch = batch_of(model_->vocabulary().tokenize_text("one two three"), 0);
  ASSERT_EQ(model_->decode(batch, never), DecodeOutcome::done);
  EXPECT_TRUE(model_->logits(0).empty());
}

TEST_F(LoadedModelDecode, GoesOnFromAKeptPrefix) {
  const auto whole = model_->vocabulary().tokenize_text("The capital of France is");
  ASSERT_EQ(model_->decode(batch_of(whole, 0), never), DecodeOutcome::done);
  const TokenId expected = best(model_->logits(whole.size() - 1));

  const std::vector<TokenId> start(whole.begin(), whole.begin() + 2);
  const auto other = model_->vocabulary().tokenize_text(" recipe for a cake needs");
  std::vector<BatchToken> wrong = batch_of(start, 1);
  for (const BatchToken& token : batch_of(other, 1, 2)) wrong.push_back(token);
  ASSERT_EQ(model_->decode(wrong, never), DecodeOutcome::done);
  ASSERT_TRUE(model_->keep_prefix(1, 2));
  const std::vector<TokenId> rest(whole.begin() + 2, whole.end());
  ASSERT_EQ(model_->decode(batch_of(rest, 1, 2), never), DecodeOutcome::done);
  EXPECT_EQ(best(model_->logits(rest.size() - 1)), expected);
}

TEST_F(LoadedModelDecode, StopsWhenAskedTo) {
  const std::vector<TokenId> tokens(64, 5);
  EXPECT_EQ(model_->decode(batch_of(tokens, 0), [] { return true; }), DecodeOutcome::aborted);
  ASSERT_TRUE(model_->keep_prefix(0, 0));
  EXPECT_EQ(model_->decode(batch_of(tokens, 0), never), DecodeOutcome::done);
}

TEST_F(LoadedModelDecode, RefusesATokenThatDoesNotExist) {
  const auto beyond = static_cast<TokenId>(model_->vocabulary().size());
  EXPECT_EQ(model_->decode(batch_of({beyond}, 0), never), DecodeOutcome::failed);
}

// Slots of a batch lie apart in the model's memory, with others' tokens between them.
TEST_F(LoadedModelDecode, ABatchMayLeaveSlotsOut) {
  LlamaOptions options;
  options.model_path = test_model();
  options.slots = 6;
  auto many = LoadedModel::load(options, 256, 1, [] { return true; });
  ASSERT_TRUE(many) << many.error().message;
  const std::vector<std::string> texts = {"The capital of France is",    "one two three four",
                                          "The sun rises in the",        "recipe for a cake needs",
                                          "Monday, Tuesday, Wednesday,", "The capital of Italy is"};
  std::vector<BatchToken> said;  // what each goes on with, and then
  std::vector<TokenId> then;
  for (int slot = 0; slot < 6; ++slot) {
    const auto tokens = model_->vocabulary().tokenize_text(texts[static_cast<std::size_t>(slot)]);
    const auto length = static_cast<int>(tokens.size());
    model_->keep_prefix(0, 0);
    ASSERT_EQ(model_->decode(batch_of(tokens, 0), never), DecodeOutcome::done);
    said.push_back({best(model_->logits(tokens.size() - 1)), length, slot, true});
    ASSERT_EQ(model_->decode(batch_of({said.back().token}, 0, length), never), DecodeOutcome::done);
    then.push_back(best(model_->logits(0)));
    ASSERT_EQ(many->decode(batch_of(tokens, slot), never), DecodeOutcome::done);
  }
  for (const auto& slots :
       std::vector<std::vector<std::size_t>>{{0, 2, 5}, {1, 4}, {3}, {0, 1, 2, 3, 4, 5}}) {
    std::vector<BatchToken> batch;
    for (const std::size_t slot : slots) {
      many->keep_prefix(slot, static_cast<std::size_t>(said[slot].position));
      batch.push_back(said[slot]);
    }
    ASSERT_EQ(many->decode(batch, never), DecodeOutcome::done);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      EXPECT_EQ(best(many->logits(i)), then[slots[i]])
          << "slot " << slots[i] << " of " << slots.size();
    }
  }
}

TEST_F(LoadedModelDecode, ComputesOnTheCpuWhenToldTo) {
  LlamaOptions options;
  options.model_path = test_model();
  options.gpu_layers = 0;
  options.slots = 1;
  const auto loaded = LoadedModel::load(options, 64, 1, [] { return true; });
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->offload().layers, 0);
  EXPECT_GT(loaded->offload().of, 1);
  EXPECT_FALSE(loaded->offload().whole());
}

TEST(LoadedModel, SaysWhichFileCannotBeLoaded) {
  LlamaOptions options;
  options.model_path = "/nonexistent/weights.gguf";
  const auto loaded = LoadedModel::load(options, 512, 1, [] { return true; });
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::config_error);
  EXPECT_NE(loaded.error().message.find("/nonexistent/weights.gguf"), std::string::npos);
}

TEST(LoadedModel, EndsALoadThatIsNotWantedAnyMore) {
  LlamaOptions options;
  options.model_path = test_model();
  ASSERT_FALSE(options.model_path.empty());
  EXPECT_FALSE(LoadedModel::load(options, 512, 1, [] { return false; }));
}

}  // namespace
}  // namespace tars::llm
