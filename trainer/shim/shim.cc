// What tch does not expose of libtorch: the fused optimizer steps, the deterministic switches, and which instruction set
// the kernels were chosen for. Tensors come as tch holds them (`at::Tensor*`). Every function gives null, or the text of
// the exception, which mlp_shim_free takes back: no exception may cross into Rust.

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <torch/version.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "guarded.h"

static_assert(
    TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR == 11 && TORCH_VERSION_PATCH == 0,
    "results are pinned to libtorch 2.11.0");

namespace {

std::vector<at::Tensor> list(at::Tensor* const* tensors, size_t count) {
  std::vector<at::Tensor> copied;
  copied.reserve(count);
  for (size_t i = 0; i < count; ++i) copied.push_back(*tensors[i]);
  return copied;
}

}  // namespace

extern "C" {

void mlp_shim_free(char* text) { std::free(text); }

char* mlp_shim_adam(
    at::Tensor* const* params, at::Tensor* const* grads, at::Tensor* const* averages, at::Tensor* const* squares,
    size_t count, at::Tensor* step, double lr, double beta1, double beta2, double weight_decay, double eps,
    bool decoupled) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    // One counter for all parameters: they step together.
    std::vector<at::Tensor> steps(count, *step);
    auto p = list(params, count), g = list(grads, count), m = list(averages, count), v = list(squares, count);
    if (decoupled) {
      at::_fused_adamw_(p, g, m, v, {}, steps, lr, beta1, beta2, weight_decay, eps, false, false);
    } else {
      at::_fused_adam_(p, g, m, v, {}, steps, lr, beta1, beta2, weight_decay, eps, false, false);
    }
  });
}

char* mlp_shim_sgd(
    at::Tensor* const* params, at::Tensor* const* grads, at::Tensor* const* momenta, size_t count,
    double weight_decay, double momentum, double lr, bool nesterov, bool first) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    auto p = list(params, count), g = list(grads, count);
    std::vector<at::Tensor> m;
    if (momenta) m = list(momenta, count);
    at::_fused_sgd_(p, g, m, weight_decay, momentum, lr, 0.0, nesterov, false, first);
  });
}

char* mlp_shim_deterministic() {
  return guarded([] {
    auto& context = at::globalContext();
    context.setDeterministicAlgorithms(true, false);
    // Filling fresh memory costs time, and no operation here reads what it has not written.
    context.setDeterministicFillUninitializedMemory(false);
    context.setDeterministicMkldnn(true);
    context.setDeterministicCuDNN(true);
    context.setBenchmarkCuDNN(false);
  });
}

// The instruction set that ATen's kernels were chosen for, to be freed.
char* mlp_shim_cpu_capability() {
  try {
    return strdup(at::get_cpu_capability().c_str());
  } catch (...) {
    return strdup("unknown");
  }
}
}
