"""Each rule of tools/tidy must be able to fail, and must pass a tree that keeps it."""
import importlib.machinery
import importlib.util
import pathlib
import tempfile
import textwrap
import unittest

PATH = pathlib.Path(__file__).with_name("tidy")
LOADER = importlib.machinery.SourceFileLoader("tidy", str(PATH))
SPEC = importlib.util.spec_from_loader("tidy", LOADER)
tidy = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(tidy)

GOOD = {
    "src/base/CMakeLists.txt": "tars_module(base LIBS Threads::Threads)",
    "src/base/ids.h": "#pragma once\n",
    "src/base/ids.cc": '#include "base/ids.h"\n',
    "src/net/CMakeLists.txt": "tars_module(net DEPS base LIBS Boost::url)",
    "src/net/server.h": "#pragma once\n",
    "src/net/server.cc": '#include <boost/beast/http.hpp>\n#include "base/ids.h"\n',
    "src/chat/CMakeLists.txt": "tars_module(chat DEPS base)",
    "src/cli/CMakeLists.txt": "add_executable(tars main.cc)",
    "src/cli/main.cc": '#include "base/ids.h"\nint main() {}\n',
    "tests/unit/base/ids_test.cc": "",
    "tests/unit/net/server_test.cc": "",
}


def body(lines):
    return "void f() {\n" + "  g();\n" * (lines - 2) + "}\n"


class TidyTest(unittest.TestCase):
    def findings(self, files=None):
        """What tidy says of the good tree with `files` added or replaced."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in (GOOD | (files or {})).items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            return [f"{f.path}:{f.line}: {f.message}" for f in tidy.run(root)[0]]

    def assert_only(self, files, *parts):
        found = self.findings(files=files)
        self.assertEqual(len(found), 1, found)
        for part in parts:
            self.assertIn(part, found[0])

    def test_a_good_tree_passes(self):
        self.assertEqual(self.findings(), [])

    def test_include_of_an_undeclared_module(self):
        self.assert_only({"src/chat/turn.h": '#pragma once\n\n#include "net/server.h"\n'},
                         "src/chat/turn.h:3:", "may not depend on 'net'")

    def test_include_upwards(self):
        self.assert_only({"src/base/ids.h": '#pragma once\n#include "net/server.h"\n'},
                         "src/base/ids.h:2:", "'net'")

    def test_include_of_the_same_number(self):
        self.assert_only({"src/store/CMakeLists.txt": "tars_module(store DEPS base net)"},
                         "src/store/CMakeLists.txt:1:", "must not depend on 'net'")

    def test_dependency_upwards_is_not_declared(self):
        self.assert_only({"src/base/CMakeLists.txt": "tars_module(base DEPS net)"}, "must not depend on 'net'")

    def test_nobody_includes_config(self):
        files = {"src/config/CMakeLists.txt": "tars_module(config DEPS base)", "src/config/table.h": "#pragma once\n",
                 "src/app/CMakeLists.txt": "tars_module(app DEPS base config)"}
        include = '#pragma once\n#include "config/table.h"\n'
        self.assertEqual(self.findings(files=files | {"src/app/app.h": include}), [])
        self.assert_only(files | {"src/api/CMakeLists.txt": "tars_module(api DEPS base)", "src/api/api.h": include},
                         "may not depend on 'config'")

    def test_module_without_a_number(self):
        self.assert_only({"src/misc/CMakeLists.txt": "tars_module(misc)"}, "no number")

    def test_llama_stays_in_its_folder(self):
        llm = {"src/llm/CMakeLists.txt": "tars_module(llm DEPS base)", "tests/unit/llm/llama/model_test.cc": ""}
        self.assertEqual(self.findings(files=llm | {"src/llm/llama/model.cc": "#include <llama.h>\n"}), [])
        self.assert_only(llm | {"src/llm/llama/model.h": "#pragma once\n#include <llama.h>\n"}, "model.h:2:", "llama.h")
        self.assert_only(llm | {"src/llm/model.h": '#pragma once\n#include "ggml-backend.h"\n'}, "ggml-backend.h")

    def test_beast_stays_in_net(self):
        beast = "#pragma once\n#include <boost/beast/http.hpp>\n"
        self.assert_only({"src/chat/run.h": beast}, "src/chat/run.h:2:", "Beast")
        files = {"src/net/parser.h": beast, "src/chat/CMakeLists.txt": "tars_module(chat DEPS base net)"}
        self.assertEqual(self.findings(files=files), [])
        self.assert_only(files | {"src/chat/run.h": '#pragma once\n#include "net/parser.h"\n'}, "brings Beast out")

    def test_sql_stays_in_store_and_json_at_the_edges(self):
        self.assert_only({"src/chat/run.h": "#pragma once\n#include <sqlite3.h>\n"}, "SQL")
        self.assert_only({"src/chat/run.h": "#pragma once\n#include <boost/json.hpp>\n"}, "JSON")

    def test_source_without_a_test(self):
        self.assert_only({"src/net/tls/context.cc": ""}, "has no tests/unit/net/tls/context_test.cc")

    def test_long_file(self):
        self.assertEqual(self.findings(files={"src/net/server.h": "#pragma once\n" + "//\n" * 599}), [])
        self.assert_only({"src/net/server.h": "#pragma once\n" + "//\n" * 600}, "601 lines")

    def test_long_line(self):
        self.assert_only({"src/net/server.cc": "// " + "x" * 98 + "\n"}, "server.cc:1: 101 columns")

    def test_long_function(self):
        self.assertEqual(self.findings(files={"src/net/server.cc": body(70)}), [])
        self.assert_only({"src/net/server.cc": "\n\n" + body(71)}, "server.cc:3: a function of 71 lines")

    def test_long_function_wherever_it_stands(self):
        for before, after in [("namespace a::b {\nnamespace {\n", "}\n}\n"), ("class A final : public B {\n", "};\n"),
                              ("int a[] = {1, 2};\nconst std::map<int, int> m = {{1, 2}};\n", ""),
                              ("template <typename T>\nstruct A {\n  int b_{0};\n", "};\n"),
                              ("enum class E { a, b };\n// {{{ \n", ""), ("char c = '{';\nauto s = \"{{\";\n", ""),
                              ('auto r = R"x({{{)x";\n#define M(a) {\n', "")]:
            with self.subTest(before):
                found = self.findings(files={"src/net/server.cc": before + body(71) + after})
                self.assertEqual(len(found), 1, found)
                self.assertIn("a function of 71 lines", found[0])

    def test_long_function_of_every_form(self):
        for head in ["A::A(int b) : b_(b), c_{b} {", "auto f(int a) -> int {", "bool operator==(A b) const {",
                     "Result<void> A::f() const noexcept {", "TEST(Suite, name) {", "A::A() : b_{1} {",
                     "std::vector<int> f(std::span<const int> a = {}) {"]:
            with self.subTest(head):
                found = self.findings(files={"src/net/server.cc": body(71).replace("void f() {", head)})
                self.assertEqual(len(found), 1, found)

    def test_short_functions_in_a_long_class(self):
        text = "class A {\n" + body(30) * 5 + "};\n"
        self.assertEqual(self.findings(files={"src/net/server.cc": text}), [])

    def test_long_python_function(self):
        self.assert_only({"tools/x.py": "def f():\n" + "    g()\n" * 70}, "tools/x.py:1: a function of 71 lines")

    def test_words(self):
        self.assert_only({"src/net/server.cc": "// TODO later\n"}, "server.cc:1:", "TODO")
        self.assert_only({"tools/x.py": "# FIXME\n"}, "reason")
        self.assertEqual(self.findings(files={"src/net/server.cc": "// TODO(Boost 1.82): cancel_after\n"}), [])

    def test_names(self):
        self.assert_only({"src/net/server.cc": "class SessionManager {};\n"}, "SessionManager")
        self.assert_only({"src/net/string_utils.h": "#pragma once\n"}, "the file's name")
        self.assertEqual(self.findings(files={"src/net/server.cc": "struct Server::Impl {};\n"}), [])

    def test_header_guard(self):
        self.assert_only({"src/net/server.h": "int a;\n"}, "#pragma once")

    def test_the_output_names_line_and_file(self):
        text = textwrap.dedent("""\
            #pragma once
            // FIXME
            """)
        self.assertEqual(self.findings(files={"src/base/ids.h": text}),
                         ["src/base/ids.h:2: unfinished work needs a reason: TODO(why)"])


if __name__ == "__main__":
    unittest.main()
