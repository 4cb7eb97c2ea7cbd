// No exception may cross into Rust: a function gives null, or the text of the exception, which mlp_shim_free takes back.

#pragma once

#include <cstring>
#include <exception>

template <typename Body>
char* guarded(Body body) {
  try {
    body();
    return nullptr;
  } catch (const std::exception& error) {
    return strdup(error.what());
  } catch (...) {
    return strdup("an exception without a text");
  }
}
