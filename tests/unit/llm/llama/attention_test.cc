// llama.cpp's flash attention on the CPU as third_party/llama patches it, against attention by the
// book: softmax(scale * Q K^T + slope * mask) V, one row at a time in double.
#include <ggml-cpu.h>
#include <ggml.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "llm/llama/cpu_kernels.h"

namespace tars::llm {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Shape {
  int key_size = 64;
  int value_size = 64;
  int heads = 1;
  int kv_heads = 1;
  int rows = 1;     // of the query, a stream
  int cells = 64;   // of the memory, a stream
  int streams = 1;  // slots that a batch reads
  int threads = 1;
  ggml_type type = GGML_TYPE_F16;
  float visible = 1;  // share of the cells before the last row
  float holes = 0;    // share of the visible cells that are hidden
  float max_bias = 0;
  float softcap = 0;
  bool sinks = false;
  bool mask = true;
};

void PrintTo(const Shape& s, std::ostream* out) {
  *out << "key " << s.key_size << " value " << s.value_size << " heads " << s.heads << "/"
       << s.kv_heads << " rows " << s.rows << " cells " << s.cells << " streams " << s.streams
       << " threads " << s.threads << " type " << ggml_type_name(s.type) << " visible " << s.visible
       << " holes " << s.holes << " bias " << s.max_bias << " softcap " << s.softcap << " sinks "
       << s.sinks << " mask " << s.mask;
}

// One operation with its tensors, filled at random by a seed.
class Attention {
 public:
  Attention(const Shape& shape, unsigned seed) : shape_(shape), random_(seed) {
    context_.reset(ggml_init({std::size_t{256} << 20, nullptr, false}));
    const auto& s = shape_;
    q_ = tensor(GGML_TYPE_F32, s.key_size, s.rows, s.heads, s.streams);
    // As in a slot's memory: a cell holds the rows of all heads.
    k_ = tensor(s.type, s.key_size, s.kv_heads, s.cells, s.streams);
    v_ = tensor(s.type, s.value_size, s.kv_heads, s.cells, s.streams);
    if (s.mask) {
      mask_ = ggml_new_tensor_4d(context_.get(), GGML_TYPE_F16, s.cells, s.rows, 1, s.streams);
      fill_mask();
    }
    result_ = attend(q_, mask_);
    if (s.sinks) {
      sinks_ = tensor(GGML_TYPE_F32, s.heads, 1, 1, 1);
      ggml_flash_attn_ext_add_sinks(result_, sinks_);
    }
  }

  // Of one stream: whether each row by itself, on so many threads, gives the same to the bit.
  bool rows_alone_are_equal(int threads) {
    compute(result_, shape_.threads);
    const auto& s = shape_;
    ggml_context* c = context_.get();
    for (int row = 0; row < s.rows; ++row) {
      const auto i = static_cast<std::size_t>(row);
      ggml_tensor* q =
          ggml_view_3d(c, q_, s.key_size, 1, s.heads, q_->nb[1], q_->nb[2], i * q_->nb[1]);
      ggml_tensor* mask = ggml_view_2d(c, mask_, s.cells, 1, mask_->nb[1], i * mask_->nb[1]);
      ggml_tensor* alone = attend(q, mask);
      compute(alone, threads);
      const char* together = static_cast<const char*>(result_->data) + i * result_->nb[2];
      if (std::memcmp(together, alone->data, ggml_nbytes(alone)) != 0) return false;
    }
    return true;
  }

  // The largest difference from the definition.
  double error() {
    compute(result_, shape_.threads);
    double worst = 0;
    for (int stream = 0; stream < shape_.streams; ++stream) {
      for (int row = 0; row < shape_.rows; ++row) {
        for (int head = 0; head < shape_.heads; ++head) {
          const std::vector<double> want = expected(head, row, stream);
          for (int d = 0; d < shape_.value_size; ++d) {
            const double got = at(result_, d, head, row, stream);
            if (std::isnan(got)) return kInfinity;
            worst = std::max(worst, std::abs(got - want[static_cast<std::size_t>(d)]));
          }
        }
      }
    }
    return worst;
  }

 private:
  ggml_tensor* attend(ggml_tensor* q, ggml_tensor* mask) {
    ggml_context* c = context_.get();
    return ggml_flash_attn_ext(c, q, ggml_permute(c, k_, 0, 2, 1, 3),
                               ggml_permute(c, v_, 0, 2, 1, 3), mask, scale(), shape_.max_bias,
                               shape_.softcap);
  }

  void compute(ggml_tensor* result, int threads) {
    ggml_cgraph* graph = ggml_new_graph(context_.get());
    ggml_build_forward_expand(graph, result);
    EXPECT_EQ(ggml_graph_compute_with_ctx(context_.get(), graph, threads), GGML_STATUS_SUCCESS);
  }

  struct Free {
    void operator()(ggml_context* context) const { ggml_free(context); }
  };

  float scale() const { return 1 / std::sqrt(static_cast<float>(shape_.key_size)); }

  float normal() { return std::normal_distribution<float>()(random_); }

  ggml_tensor* tensor(ggml_type type, int a, int b, int c, int d) {
    ggml_tensor* out = ggml_new_tensor_4d(context_.get(), type, a, b, c, d);
    for (int i = 0; i < ggml_nelements(out); ++i) set(out, i, normal());
    return out;
  }

  static void set(ggml_tensor* t, int i, float value) {
    if (t->type == GGML_TYPE_F16) {
      static_cast<ggml_fp16_t*>(t->data)[i] = ggml_fp32_to_fp16(value);
    } else {
      static_cast<float*>(t->data)[i] = value;
    }
  }

  static double at(const ggml_tensor* t, int a, int b, int c, int d) {
    const char* p = static_cast<const char*>(t->data) + static_cast<std::size_t>(a) * t->nb[0] +
                    static_cast<std::size_t>(b) * t->nb[1] +
                    static_cast<std::size_t>(c) * t->nb[2] + static_cast<std::size_t>(d) * t->nb[3];
    return t->type == GGML_TYPE_F16 ? ggml_fp16_to_fp32(*reinterpret_cast<const ggml_fp16_t*>(p))
                                    : *reinterpret_cast<const float*>(p);
  }

  // The last row sees `visible` of the cells, each row before it one less; a row may see none.
  void fill_mask() {
    int i = 0;
    for (int stream = 0; stream < shape_.streams; ++stream) {
      // Slots of a batch are not equally full.
      const int last =
          static_cast<int>(shape_.visible * static_cast<float>(shape_.cells)) / (stream + 1);
      for (int row = 0; row < shape_.rows; ++row) {
        for (int cell = 0; cell < shape_.cells; ++cell, ++i) {
          const bool hole = std::uniform_real_distribution<float>()(random_) < shape_.holes;
          const bool hidden = cell >= last - (shape_.rows - 1 - row) || hole;
          const float distance = shape_.max_bias > 0 ? static_cast<float>(cell - last) : 0;
          set(mask_, i, hidden ? -kInfinity : distance);
        }
      }
    }
  }

  // https://arxiv.org/abs/2108.12409, as llama.cpp takes it for any number of heads.
  double slope(int head) const {
    if (shape_.max_bias <= 0) return 1;
    const int even = 1 << static_cast<int>(std::floor(std::log2(shape_.heads)));
    const double step = static_cast<double>(shape_.max_bias) / even;
    return head < even ? std::exp2(-step * (head + 1))
                       : std::exp2(-step / 2 * (2 * (head - even) + 1));
  }

  std::vector<double> expected(int head, int row, int stream) const {
    const int kv_head = head / (shape_.heads / shape_.kv_heads);
    std::vector<double> scores;
    for (int cell = 0; cell < shape_.cells; ++cell) {
      double score = 0;
      for (int d = 0; d < shape_.key_size; ++d) {
        score += at(q_, d, row, head, stream) * at(k_, d, kv_head, cell, stream);
      }
      score *= scale();
      if (shape_.softcap > 0) score = shape_.softcap * std::tanh(score / shape_.softcap);
      if (mask_ != nullptr) score += slope(head) * at(mask_, cell, row, 0, stream);
      scores.push_back(score);
    }
    const double sink = sinks_ == nullptr ? -kInfinity : at(sinks_, head, 0, 0, 0);
    const double top = std::max(sink, *std::ranges::max_element(scores));
    std::vector<double> out(static_cast<std::size_t>(shape_.value_size), 0.0);
    if (std::isinf(top)) return out;
    double sum = std::exp(sink - top);
    for (const double score : scores) sum += std::exp(score - top);
    for (int cell = 0; cell < shape_.cells; ++cell) {
      const double weight = std::exp(scores[static_cast<std::size_t>(cell)] - top) / sum;
      for (int d = 0; d < shape_.value_size; ++d) {
        out[static_cast<std::size_t>(d)] += weight * at(v_, d, kv_head, cell, stream);
      }
    }
    return out;
  }

  Shape shape_;
  std::mt19937 random_;
  std::unique_ptr<ggml_context, Free> context_;
  ggml_tensor* q_ = nullptr;
  ggml_tensor* k_ = nullptr;
  ggml_tensor* v_ = nullptr;
  ggml_tensor* mask_ = nullptr;
  ggml_tensor* sinks_ = nullptr;
  ggml_tensor* result_ = nullptr;
};

// Sums of f32 products; the inputs' own rounding is on both sides.
constexpr double kTolerance = 2e-4;

class AttentionShapes : public testing::TestWithParam<Shape> {};

TEST_P(AttentionShapes, AreThoseOfTheDefinition) {
  ASSERT_TRUE(load_cpu_kernels());
  EXPECT_LT(Attention(GetParam(), 1).error(), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(
    Named, AttentionShapes,
    testing::Values(
        // one answer: a row
        Shape{.heads = 9, .kv_heads = 3, .cells = 256, .threads = 2, .visible = 0.3F},
        Shape{.heads = 9, .kv_heads = 3, .cells = 1024, .threads = 3, .visible = 0.99F},
        Shape{.heads = 8, .kv_heads = 8, .cells = 512, .threads = 2, .holes = 0.5F},
        // nothing to see, and nothing but the sink
        Shape{.heads = 2, .cells = 256, .threads = 2, .visible = 0},
        Shape{.heads = 2, .cells = 256, .threads = 2, .visible = 0, .sinks = true},
        Shape{.heads = 2, .rows = 5, .cells = 64, .visible = 0.05F, .sinks = true},
        // several answers: a row of each slot
        Shape{.heads = 9, .kv_heads = 3, .cells = 256, .streams = 8, .threads = 2, .visible = 0.9F},
        // a part of a prompt
        Shape{.heads = 9, .kv_heads = 3, .rows = 8, .cells = 320, .threads = 2, .visible = 0.8F},
        Shape{.heads = 4, .kv_heads = 2, .rows = 100, .cells = 256, .threads = 2},
        Shape{.heads = 3, .rows = 256, .cells = 256, .threads = 2, .holes = 0.1F},
        // other models: odd sizes, more heads on one than a tile has rows, ALiBi, softcap, sinks,
        // f32
        Shape{.key_size = 80, .value_size = 80, .heads = 4, .rows = 3, .cells = 100},
        Shape{.key_size = 40, .value_size = 24, .heads = 2, .rows = 7, .cells = 65},
        Shape{.key_size = 192, .value_size = 128, .heads = 2, .rows = 2, .cells = 70},
        Shape{.heads = 71, .rows = 1, .cells = 128, .threads = 2},
        Shape{.heads = 71, .rows = 3, .cells = 128, .threads = 2},
        Shape{.heads = 6, .kv_heads = 2, .rows = 9, .cells = 128, .max_bias = 8},
        Shape{.heads = 4, .kv_heads = 2, .rows = 2, .cells = 128, .softcap = 30},
        Shape{.heads = 4, .cells = 512, .threads = 2, .sinks = true},
        Shape{.heads = 4, .kv_heads = 2, .rows = 4, .cells = 128, .type = GGML_TYPE_F32},
        Shape{.heads = 4, .kv_heads = 2, .rows = 4, .cells = 128, .mask = false}));

// Or an answer at temperature 0 would depend on what was cached, and on who else asked.
TEST(Attention, OfARowDoesNotDependOnItsBatch) {
  ASSERT_TRUE(load_cpu_kernels());
  for (const ggml_type type : {GGML_TYPE_F16, GGML_TYPE_F32}) {
    for (const int rows : {2, 5, 64, 100}) {
      Attention attention({.heads = 9,
                           .kv_heads = 3,
                           .rows = rows,
                           .cells = 320,
                           .threads = 1,
                           .type = type,
                           .visible = 0.7F,
                           .holes = 0.1F},
                          1);
      EXPECT_TRUE(attention.rows_alone_are_equal(1)) << rows << " rows";
      EXPECT_TRUE(attention.rows_alone_are_equal(4)) << rows << " rows";
    }
  }
}

TEST(Attention, OfAnyShapeIsThatOfTheDefinition) {
  ASSERT_TRUE(load_cpu_kernels());
  std::mt19937 random(2026);
  const auto any = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (unsigned round = 0; round < 150; ++round) {
    Shape shape;
    shape.key_size = 8 * any(1, 16);
    shape.value_size = 8 * any(1, 16);
    shape.kv_heads = any(1, 3);
    shape.heads = shape.kv_heads * any(1, 6);
    shape.rows = any(0, 1) == 0 ? 1 : any(1, 40);
    shape.cells = any(shape.rows, 300);
    shape.streams = any(0, 2) == 0 ? any(1, 4) : 1;
    shape.threads = any(1, 4);
    shape.type = any(0, 3) == 0 ? GGML_TYPE_F32 : GGML_TYPE_F16;
    shape.visible = static_cast<float>(any(0, 10)) / 10;
    shape.holes = static_cast<float>(any(0, 2)) / 4;
    shape.max_bias = any(0, 3) == 0 ? 8 : 0;
    shape.softcap = any(0, 3) == 0 && shape.max_bias == 0 ? 20 : 0;
    shape.sinks = any(0, 3) == 0;
    ASSERT_LT(Attention(shape, round).error(), kTolerance)
        << testing::PrintToString(shape) << " round " << round;
  }
}

}  // namespace
}  // namespace tars::llm
