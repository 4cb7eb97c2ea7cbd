// Max pooling with the bits of at::max_pool2d. ATen's kernel for contiguous images goes from output to output, and costs a
// quarter of the training of a small network. Here the place of the largest value is kept in a byte, windows that tile the
// image write each gradient once, and the usual windows of 2 x 2 are taken eight at a time.

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "guarded.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

// Sizes of a pooling: of its windows, and of an image before and after.
struct Pool {
  int64_t kernel[2], stride[2], padding[2];
  int64_t input[2], output[2];

  Pool(const int64_t* sizes, int64_t height, int64_t width) : input{height, width} {
    for (int d = 0; d < 2; ++d) {
      kernel[d] = sizes[d];
      stride[d] = sizes[2 + d];
      padding[d] = sizes[4 + d];
      output[d] = (input[d] + 2 * padding[d] - kernel[d]) / stride[d] + 1;
    }
  }

  // Whether windows are the usual ones: 2 x 2, side by side.
  bool squares() const {
    return kernel[0] == 2 && kernel[1] == 2 && stride[0] == 2 && stride[1] == 2 && padding[0] == 0 && padding[1] == 0;
  }

  // The outputs of a row whose tap `k` lies inside of the image: from the first to before the second.
  std::pair<int64_t, int64_t> inside(int64_t k) const {
    int64_t first = k < padding[1] ? (padding[1] - k + stride[1] - 1) / stride[1] : 0;
    int64_t room = input[1] + padding[1] - k;
    int64_t end = room <= 0 ? 0 : (room + stride[1] - 1) / stride[1];
    return {std::min(first, output[1]), std::min(end, output[1])};
  }
};

// Takes one tap of each window of a row: ties stay with the earlier tap, NaN is larger than any number.
void take(const float* row, int64_t stride, int64_t count, int32_t tap, float* best, uint8_t* place) {
  for (int64_t i = 0; i < count; ++i) {
    const float value = row[i * stride];
    const bool larger = (value > best[i]) | (value != value);
    best[i] = larger ? value : best[i];
    place[i] = larger ? static_cast<uint8_t>(tap) : place[i];
  }
}

// Gives each gradient to the tap that it is of, where windows do not overlap: every tap is written once.
void give(float* row, int64_t stride, int64_t count, int32_t tap, const float* grad, const uint8_t* place) {
  for (int64_t i = 0; i < count; ++i) {
    // ATen adds to 0, so that -0 comes out as 0.
    row[i * stride] = place[i] == tap ? grad[i] + 0.0f : 0.0f;
  }
}

#if defined(__x86_64__)

// A row of windows of 2 x 2, side by side: as many as make whole vectors. Gives how many that were.
__attribute__((target("avx2"))) int64_t take_squares(
    const float* top, const float* bottom, int64_t count, float* best, uint8_t* place) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 t0 = _mm256_loadu_ps(top + 2 * i), t1 = _mm256_loadu_ps(top + 2 * i + 8);
    const __m256 b0 = _mm256_loadu_ps(bottom + 2 * i), b1 = _mm256_loadu_ps(bottom + 2 * i + 8);
    // The outputs 0, 1, 4, 5, 2, 3, 6, 7 of each tap.
    const __m256 taps[4] = {
        _mm256_shuffle_ps(t0, t1, 0x88), _mm256_shuffle_ps(t0, t1, 0xdd), _mm256_shuffle_ps(b0, b1, 0x88),
        _mm256_shuffle_ps(b0, b1, 0xdd)};
    __m256 most = taps[0];
    __m256i at = _mm256_setzero_si256();
    for (int tap = 1; tap < 4; ++tap) {
      const __m256 larger = _mm256_or_ps(
          _mm256_cmp_ps(taps[tap], most, _CMP_GT_OQ), _mm256_cmp_ps(taps[tap], taps[tap], _CMP_UNORD_Q));
      most = _mm256_blendv_ps(most, taps[tap], larger);
      at = _mm256_blendv_epi8(at, _mm256_set1_epi32(tap), _mm256_castps_si256(larger));
    }
    _mm256_storeu_ps(best + i, _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(most), 0xd8)));
    at = _mm256_permute4x64_epi64(at, 0xd8);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(at), _mm256_extracti128_si256(at, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(place + i), _mm_packus_epi16(words, words));
  }
  return i;
}

__attribute__((target("avx2"))) int64_t give_squares(
    float* top, float* bottom, int64_t count, const float* grad, const uint8_t* place) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 all = _mm256_add_ps(_mm256_loadu_ps(grad + i), _mm256_setzero_ps());
    const __m256i at = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(place + i)));
    float* rows[2] = {top + 2 * i, bottom + 2 * i};
    for (int row = 0; row < 2; ++row) {
      const __m256i left = _mm256_cmpeq_epi32(at, _mm256_set1_epi32(2 * row));
      const __m256i right = _mm256_cmpeq_epi32(at, _mm256_set1_epi32(2 * row + 1));
      const __m256 even = _mm256_and_ps(all, _mm256_castsi256_ps(left));
      const __m256 odd = _mm256_and_ps(all, _mm256_castsi256_ps(right));
      const __m256 low = _mm256_unpacklo_ps(even, odd), high = _mm256_unpackhi_ps(even, odd);
      _mm256_storeu_ps(rows[row], _mm256_permute2f128_ps(low, high, 0x20));
      _mm256_storeu_ps(rows[row] + 8, _mm256_permute2f128_ps(low, high, 0x31));
    }
  }
  return i;
}

bool vectors() {
  static const bool known = __builtin_cpu_supports("avx2");
  return known;
}

#else

int64_t take_squares(const float*, const float*, int64_t, float*, uint8_t*) { return 0; }
int64_t give_squares(float*, float*, int64_t, const float*, const uint8_t*) { return 0; }
bool vectors() { return false; }

#endif

void plane_forward(const Pool& pool, const float* x, float* y, uint8_t* places) {
  const int64_t width = pool.output[1];
  const bool squares = pool.squares() && vectors();
  for (int64_t row = 0; row < pool.output[0]; ++row, y += width, places += width) {
    const float* top = x + 2 * row * pool.input[1];
    // What is left of a row after whole vectors.
    const int64_t done = squares ? take_squares(top, top + pool.input[1], width, y, places) : 0;
    if (done == width) continue;
    // A window of nothing but -inf is of its first tap inside of the image.
    const int64_t above = std::max<int64_t>(0, pool.padding[0] - row * pool.stride[0]);
    for (int64_t i = done; i < width; ++i) {
      const int64_t left = std::max<int64_t>(0, pool.padding[1] - i * pool.stride[1]);
      y[i] = -std::numeric_limits<float>::infinity();
      places[i] = static_cast<uint8_t>(above * pool.kernel[1] + left);
    }
    for (int64_t ky = 0; ky < pool.kernel[0]; ++ky) {
      const int64_t from = row * pool.stride[0] - pool.padding[0] + ky;
      if (from < 0 || from >= pool.input[0]) continue;
      for (int64_t kx = 0; kx < pool.kernel[1]; ++kx) {
        auto [first, end] = pool.inside(kx);
        first = std::max(first, done);
        if (first >= end) continue;
        const float* start = x + from * pool.input[1] + first * pool.stride[1] - pool.padding[1] + kx;
        const int32_t tap = static_cast<int32_t>(ky * pool.kernel[1] + kx);
        take(start, pool.stride[1], end - first, tap, y + first, places + first);
      }
    }
  }
}

// Windows that tile the image: each pixel is in one at most.
void plane_backward_tiles(const Pool& pool, const float* grad, const uint8_t* places, float* to) {
  const int64_t width = pool.output[1];
  const bool squares = pool.squares() && vectors();
  for (int64_t row = 0; row < pool.output[0]; ++row, grad += width, places += width) {
    float* top = to + row * pool.stride[0] * pool.input[1];
    const int64_t done = squares ? give_squares(top, top + pool.input[1], width, grad, places) : 0;
    for (int64_t ky = 0; done < width && ky < pool.kernel[0]; ++ky) {
      for (int64_t kx = 0; kx < pool.kernel[1]; ++kx) {
        float* start = top + ky * pool.input[1] + done * pool.stride[1] + kx;
        const int32_t tap = static_cast<int32_t>(ky * pool.kernel[1] + kx);
        give(start, pool.stride[1], width - done, tap, grad + done, places + done);
      }
    }
  }
}

// In the order of the outputs, as ATen sums.
void plane_backward(const Pool& pool, const float* grad, const uint8_t* places, float* to) {
  for (int64_t row = 0; row < pool.output[0]; ++row) {
    for (int64_t column = 0; column < pool.output[1]; ++column, ++grad, ++places) {
      const int64_t y = row * pool.stride[0] - pool.padding[0] + *places / pool.kernel[1];
      const int64_t x = column * pool.stride[1] - pool.padding[1] + *places % pool.kernel[1];
      to[y * pool.input[1] + x] += *grad;
    }
  }
}

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct MaxPool : torch::autograd::Function<MaxPool> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& given, at::IntArrayRef sizes, bool learns) {
    const at::Tensor x = given.contiguous();
    const Pool pool(sizes.data(), x.size(2), x.size(3));
    const std::vector<int64_t> shape{x.size(0), x.size(1), pool.output[0], pool.output[1]};
    const at::Tensor y = at::empty(shape, x.options());
    const at::Tensor places = at::empty(shape, x.options().dtype(at::kByte));
    const int64_t planes = x.size(0) * x.size(1);
    const int64_t inputs = pool.input[0] * pool.input[1], outputs = pool.output[0] * pool.output[1];
    for (int64_t plane = 0; plane < planes; ++plane) {
      plane_forward(
          pool, x.const_data_ptr<float>() + plane * inputs, y.mutable_data_ptr<float>() + plane * outputs,
          places.mutable_data_ptr<uint8_t>() + plane * outputs);
    }
    if (learns) {
      context->save_for_backward({places});
      context->saved_data["sizes"] = sizes.vec();
      context->saved_data["input"] = x.sizes().vec();
    }
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const at::Tensor grad = grads[0].contiguous(), places = context->get_saved_variables()[0];
    const std::vector<int64_t> sizes = context->saved_data["sizes"].toIntVector();
    const std::vector<int64_t> shape = context->saved_data["input"].toIntVector();
    const Pool pool(sizes.data(), shape[2], shape[3]);
    bool tiles = true, covers = true;
    for (int d = 0; d < 2; ++d) {
      tiles = tiles && pool.kernel[d] == pool.stride[d] && pool.padding[d] == 0;
      covers = covers && pool.output[d] * pool.kernel[d] == pool.input[d];
    }
    const at::Tensor to = tiles && covers ? at::empty(shape, grad.options()) : at::zeros(shape, grad.options());
    const int64_t planes = shape[0] * shape[1];
    const int64_t inputs = pool.input[0] * pool.input[1], outputs = pool.output[0] * pool.output[1];
    const auto run = tiles ? plane_backward_tiles : plane_backward;
    for (int64_t plane = 0; plane < planes; ++plane) {
      run(pool, grad.const_data_ptr<float>() + plane * outputs, places.const_data_ptr<uint8_t>() + plane * outputs,
          to.mutable_data_ptr<float>() + plane * inputs);
    }
    return {to, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

extern "C" {

// `sizes` are height and width of kernel, stride and padding. `*pooled` is a new tensor.
char* mlp_shim_max_pool2d(const at::Tensor* x, const int64_t* sizes, at::Tensor** pooled) {
  return guarded([&] {
    const at::IntArrayRef all(sizes, 6), kernel(sizes, 2), stride(sizes + 2, 2), padding(sizes + 4, 2);
    const bool known = x->dim() == 4 && x->is_cpu() && x->scalar_type() == at::kFloat && x->numel() > 0;
    // What is wrong with sizes ATen says; a place must fit a byte.
    bool fits = known && kernel[0] > 0 && kernel[1] > 0 && kernel[0] * kernel[1] <= 256;
    for (int d = 0; fits && d < 2; ++d) {
      fits = stride[d] > 0 && padding[d] >= 0 && 2 * padding[d] <= kernel[d] && x->size(2 + d) + 2 * padding[d] >= kernel[d];
    }
    if (!fits) {
      *pooled = new at::Tensor(at::max_pool2d(*x, kernel, stride, padding));
      return;
    }
    const bool learns = x->requires_grad() && at::GradMode::is_enabled();
    *pooled = new at::Tensor(MaxPool::apply(*x, all, learns));
  });
}
}
