#pragma once
#include "metal/linalg/window.hpp"

namespace mpskit::metal {

template <class K, class Filter>
class SoftMaxPlan final : public MetalPlan {
 public:
  SoftMaxPlan(const K& k, const Call& call, const Context& context)
      : window_(k.window(call.inputs[0], &call.outputs[0])), filter_(made(adopt([[Filter alloc] initWithDevice:context.device()]), context, k)) {
    set_origins(filter_.get(), k);
    filter_.get().sourceRows = count_of(window_.rows);
    filter_.get().sourceColumns = count_of(window_.columns);
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    each_matrix(window_, [&](std::int64_t i) {
      [filter_.get() encodeToCommandBuffer:e.commands() inputMatrix:e.matrix(o[0], i, 1) resultMatrix:e.matrix(o[1], i, 1)];
    });
  }

 private:
  linalg::Window window_;
  retained<Filter*> filter_;
};

template <class K, class Filter>
class SoftMaxGradientPlan final : public MetalPlan {
 public:
  SoftMaxGradientPlan(const K& k, const Call& call, const Context& context)
      : gradient_(k.primary_source_matrix_origin), forward_(k.secondary_source_matrix_origin), result_(k.result_matrix_origin),
        window_(k.window(call.inputs, &call.outputs[0])), filter_(made(adopt([[Filter alloc] initWithDevice:context.device()]), context, k)) {
    set_origins(filter_.get(), Staged::origin(call.inputs[0], gradient_), Staged::origin(call.inputs[1], forward_), Staged::origin(call.outputs[0], result_));
    filter_.get().sourceRows = count_of(window_.rows);
    filter_.get().sourceColumns = count_of(window_.columns);
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    each_matrix(window_, [&](std::int64_t i) {
      Staged staged(e);
      [filter_.get() encodeToCommandBuffer:e.commands()
                            gradientMatrix:staged.read(o[0], i, gradient_, window_.rows, window_.columns)
                       forwardOutputMatrix:staged.read(o[1], i, forward_, window_.rows, window_.columns)
                              resultMatrix:staged.write(o[2], i, result_, window_.rows, window_.columns)];
      staged.finish();
    });
  }

 private:
  Origin gradient_, forward_, result_;
  linalg::Window window_;
  retained<Filter*> filter_;
};

}  // namespace mpskit::metal
