#include "kernels/linalg/matrix_sum.hpp"

#include "metal/linalg/window.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixSum& k, const Call& call, const Context& context)
      : result_(k.result_matrix_origin), window_(k.window(call.inputs, &call.outputs[0])), start_(k.start_index), scale_(k.scale_index()), bias_(k.bias_index()),
        is_transposed_(k.transpose) {
    if (window_.rows == 0 || window_.columns == 0) return;
    filter_ = made(adopt([[MPSMatrixSum alloc] initWithDevice:context.device()
                                                        count:count_of(k.count)
                                                         rows:count_of(window_.rows)
                                                      columns:count_of(window_.columns)
                                                    transpose:k.transpose ? YES : NO]),
                   context, k);
    filter_.get().resultMatrixOrigin = Staged::origin(call.outputs[0], result_);
    set_neuron(filter_.get(), k.neuron.resolved());
    // Offsets of the stored matrices; copies begin at their windows.
    std::vector<MPSMatrixOffset> offsets;
    for (std::int64_t i = 0; i < k.count; ++i) {
      sources_.push_back(k.offset_of(i));
      const MTLOrigin o = Staged::origin(call.inputs[0], sources_.back());
      offsets.push_back({static_cast<std::uint32_t>(o.x), static_cast<std::uint32_t>(o.y)});
    }
    const NSUInteger bytes = offsets.size() * sizeof(MPSMatrixOffset);
    auto buffer = adopt([context.device() newBufferWithBytes:offsets.data() length:bytes options:MTLResourceStorageModeShared]);
    if (!buffer) throw DeviceError(cat("MatrixSum: ", context.info().name, " made no buffer of ", bytes, " bytes. Free arrays, or pass device=\"cpu\"."));
    MPSVectorDescriptor* d = [MPSVectorDescriptor vectorDescriptorWithLength:2 * offsets.size() dataType:MPSDataTypeUInt32];
    offsets_ = adopt([[MPSVector alloc] initWithBuffer:buffer.get() descriptor:d]);
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    const std::size_t inputs = o.size() - 1;
    const std::int64_t rows = is_transposed_ ? window_.columns : window_.rows, columns = is_transposed_ ? window_.rows : window_.columns;
    each_matrix(window_, [&](std::int64_t i) {
      Staged staged(e);
      NSMutableArray<MPSMatrix*>* sources = [NSMutableArray array];
      for (std::size_t s = 0; s < sources_.size(); ++s) [sources addObject:staged.read(o[s], i, sources_[s], window_.rows, window_.columns)];
      // startIndex counts in both vectors, and in which unit in that of the offsets nobody says: scale is handed over from its start.
      MPSVector* scale = nil;
      if (scale_ < inputs && !linalg::is_absent(o[scale_].layout)) {
        Operand from = o[scale_];
        from.offset += start_ * 4;
        from.layout = Layout::vector(DType::f32, from.layout.length() - start_);
        scale = e.vector(from);
      }
      [filter_.get() encodeToCommandBuffer:e.commands()
                            sourceMatrices:sources
                              resultMatrix:staged.write(o.back(), i, result_, rows, columns)
                               scaleVector:scale
                              offsetVector:offsets_.get()
                                biasVector:bias_ < inputs ? staged.read_vector(o[bias_], i, window_.columns) : nil
                                startIndex:0];
      staged.finish();
    });
  }

 private:
  Origin result_;
  std::vector<Origin> sources_;
  linalg::Window window_;
  std::int64_t start_;
  std::size_t scale_, bias_;
  bool is_transposed_;
  retained<MPSMatrixSum*> filter_;
  retained<MPSVector*> offsets_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixSum, Plan)
