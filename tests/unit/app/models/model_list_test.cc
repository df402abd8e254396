#include "app/models/model_list.h"

#include "model_fixture.h"
#include "scripted_server.h"

namespace tars::app {
namespace {

using testing::HasSubstr;

class ModelListTest : public ModelFixture {
 protected:
  std::filesystem::path model(const char* name) const {
    return settings_.data_dir / "models" / name;
  }
  static ListedModel find(const std::vector<ListedModel>& models, const std::string& name) {
    for (const ListedModel& model : models) {
      if (model.name == name) return model;
    }
    ADD_FAILURE() << "no model " << name;
    return {};
  }
};

TEST_F(ModelListTest, ShowsEachFileOnceAndWhatAStartWouldTake) {
  write_model(model("chat.gguf"));
  write_model(model("other.gguf"), "bert");
  write_text(model("broken.gguf"), "nonsense");
  write_text(model("notes.txt"), "mine");
  settings_.model_candidates.push_back(model("chat.gguf"));  // the same folder again
  const auto models = list_models(settings_, std::nullopt);
  ASSERT_EQ(models.size(), 3U);
  EXPECT_TRUE(find(models, "chat").in_use);
  EXPECT_EQ(find(models, "chat").use, "none");  // no chat template
  EXPECT_EQ(find(models, "other").use, "embedding");
  EXPECT_FALSE(find(models, "other").in_use);
  EXPECT_THAT(find(models, "broken").trouble, HasSubstr("no GGUF"));
  EXPECT_THAT(models_text(models, ""), HasSubstr("unusable: "));
}

TEST_F(ModelListTest, MarksWhatTheRunningServerUses) {
  write_model(model("chat.gguf"));
  const auto own = folder_.path() / "own.gguf";
  write_model(own);
  settings_.llm.model_path = own;
  EXPECT_TRUE(find(list_models(settings_, std::nullopt), "own").in_use);
  const RunningServer running{"1", model("chat.gguf").string(), "CPU", {}};
  const auto models = list_models(settings_, running);
  EXPECT_TRUE(find(models, "chat").in_use);
  EXPECT_FALSE(find(models, "own").in_use);
}

TEST_F(ModelListTest, AsksModelServers) {
  const std::string list = http("200 OK", "", R"({"models":[{"name":"a"},{"name":"b"}]})");
  ScriptedServer server({list, list});
  settings_.embedded = false;
  settings_.ollama.emplace();
  settings_.ollama->hosts = {{.host = "127.0.0.1", .port = server.port()}};
  EXPECT_TRUE(find(list_models(settings_, std::nullopt), "a").in_use);
  const auto models = list_models(settings_, RunningServer{"1", "", "", {{"ollama", "b"}}});
  EXPECT_FALSE(find(models, "a").in_use);
  EXPECT_TRUE(find(models, "b").in_use);
  EXPECT_EQ(find(models, "b").backend, "ollama");
  EXPECT_EQ(find(models, "b").bytes, std::nullopt);
}

TEST_F(ModelListTest, NamesThemAsAChatDoes) {
  const std::string list = http("200 OK", "", R"({"models":[{"name":"a"}]})");
  ScriptedServer server({list, list, list});
  write_model(model("chat.gguf"));
  settings_.ollama.emplace();
  settings_.ollama->hosts = {{.host = "127.0.0.1", .port = server.port()}};
  const auto both = list_models(settings_, std::nullopt);
  EXPECT_EQ(find(both, "chat").model, "chat");
  EXPECT_EQ(find(both, "a").model, "ollama/a");
  EXPECT_THAT(models_text(both, ""), HasSubstr(" ollama/a "));
  settings_.api.backend = "ollama";
  const auto other = list_models(settings_, std::nullopt);
  EXPECT_EQ(find(other, "chat").model, "embedded/chat");
  EXPECT_EQ(find(other, "a").model, "a");
  // The running server's default counts, whatever these settings say.
  const auto running = list_models(
      settings_,
      RunningServer{"1", model("chat.gguf").string(), "", {{"embedded", "chat"}, {"ollama", "a"}}});
  EXPECT_EQ(find(running, "chat").model, "chat");
  EXPECT_EQ(find(running, "a").model, "ollama/a");
}

TEST_F(ModelListTest, AModelServerThatTheRunningServerDoesNotUseIsNoTrouble) {
  ScriptedServer server({http("200 OK", "", R"({"models":[{"name":"a"}]})")});
  settings_.embedded = false;
  settings_.ollama.emplace();
  settings_.ollama->hosts = {{.host = "127.0.0.1", .port = server.port()}};
  const auto models = list_models(settings_, RunningServer{"1", "", "", {{"openai", "gpt"}}});
  ASSERT_EQ(models.size(), 2U);
  EXPECT_EQ(find(models, "a").trouble, "");
  EXPECT_FALSE(find(models, "a").in_use);
  EXPECT_TRUE(find(models, "gpt").in_use);
}

TEST_F(ModelListTest, WhatTheRunningServerHasIsShownThoughTheseSettingsDoNotKnowIt) {
  const auto elsewhere = model("chat.gguf");
  write_model(elsewhere);
  settings_.model_candidates.clear();
  settings_.llm.model_path.clear();
  const RunningServer running{
      "1", elsewhere.string(), "CPU", {{"embedded", "chat"}, {"ollama", "llama3"}}};
  const auto models = list_models(settings_, running);
  ASSERT_EQ(models.size(), 2U);
  EXPECT_EQ(find(models, "chat").where, elsewhere.string());
  EXPECT_TRUE(find(models, "chat").in_use);
  EXPECT_EQ(find(models, "llama3").backend, "ollama");
  EXPECT_TRUE(find(models, "llama3").in_use);
}

TEST_F(ModelListTest, AModelThatItsServerDoesNotListIsALineWithItsTrouble) {
  const std::string some = http("200 OK", "", R"({"models":[{"name":"a:latest"}]})");
  ScriptedServer server({some, some, http("200 OK", "", R"({"models":[]})")});
  settings_.embedded = false;
  settings_.ollama.emplace();
  settings_.ollama->hosts = {{.host = "127.0.0.1", .port = server.port()}};
  settings_.ollama->model = "a";
  EXPECT_TRUE(find(list_models(settings_, std::nullopt), "a:latest").in_use);
  settings_.ollama->model = "typo";
  EXPECT_THAT(find(list_models(settings_, std::nullopt), "typo").trouble,
              HasSubstr("does not list typo"));
  settings_.ollama->model = "";
  EXPECT_THAT(find(list_models(settings_, std::nullopt), "").trouble, HasSubstr("lists no models"));
}

TEST_F(ModelListTest, TheDeviceIsTheRunningServersElseThatOfThisBuild) {
  EXPECT_EQ(model_device(settings_, RunningServer{"1", "/m", "a GPU", {}}), "a GPU");
  EXPECT_FALSE(model_device(settings_, std::nullopt).empty());
  settings_.embedded = false;
  EXPECT_EQ(model_device(settings_, std::nullopt), "");
}

TEST_F(ModelListTest, AServerThatIsAwayIsALineWithItsTrouble) {
  settings_.openai.emplace();
  settings_.openai->model = "gpt";
  settings_.openai->hosts = {{.host = "127.0.0.1", .port = 1}};
  const auto models = list_models(settings_, std::nullopt);
  EXPECT_THAT(find(models, "gpt").trouble, HasSubstr("no connection to http://127.0.0.1:1"));
}

TEST_F(ModelListTest, TextAndJson) {
  EXPECT_THAT(models_text({}, "CPU"), HasSubstr("tars model pull"));
  ListedModel model{.name = "m",
                    .model = "embedded/m",
                    .where = "/m\xff",
                    .backend = "embedded",
                    .use = "chat",
                    .format = "Q8_0",
                    .bytes = 1'500'000,
                    .in_use = true};
  EXPECT_EQ(models_json({model}, "CPU"),
            "{\"items\":[{\"name\":\"m\",\"model\":\"embedded/"
            "m\",\"backend\":\"embedded\",\"where\":\"/m\xEF\xBF\xBD\","
            "\"use\":\"chat\",\"format\":\"Q8_0\",\"bytes\":1500000,\"in_use\":true,"
            "\"trouble\":\"\"}],\"device\":\"CPU\"}\n");
  EXPECT_THAT(models_text({model}, "CPU"), HasSubstr("*  embedded/m  1.5 MB  Q8_0    chat"));
  EXPECT_THAT(models_text({model}, "CPU"), HasSubstr("\ndevice: CPU\n"));
}

}  // namespace
}  // namespace tars::app
