# Imported target tars_llama::llama: llama.cpp, ggml and the Jinja engine, all static.
get_filename_component(_prefix "${CMAKE_CURRENT_LIST_DIR}" ABSOLUTE)
find_package(Threads REQUIRED)
add_library(tars_llama::llama INTERFACE IMPORTED)
set_target_properties(tars_llama::llama PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES "${_prefix}/include/tars_llama")
target_link_libraries(tars_llama::llama INTERFACE
  "${_prefix}/lib/libtars_jinja.a" "${_prefix}/lib/libllama.a" "${_prefix}/lib/libggml.a"
  "${_prefix}/lib/libggml-cpu.a" "${_prefix}/lib/libggml-base.a" Threads::Threads m dl)
