// Shader libraries, compute pipelines, their encoder, and events.
#pragma once
#import <Metal/MTLResource.h>

@class MTLCompileOptions;
@protocol MTLFunction
, MTLLibrary, MTLComputePipelineState, MTLComputeCommandEncoder, MTLEvent;

typedef NS_ENUM(NSUInteger, MTLLanguageVersion) {
  MTLLanguageVersion1_0 __attribute__((unavailable)) = 65536,
  MTLLanguageVersion1_1 = 65537,
  MTLLanguageVersion1_2 = 65538,
  MTLLanguageVersion2_0 = 131072,
  MTLLanguageVersion2_1 = 131073,
  MTLLanguageVersion2_2 = 131074,
  MTLLanguageVersion2_3 = 131075,
  MTLLanguageVersion2_4 = 131076,
};

typedef NS_ENUM(NSUInteger, MTLLibraryError) {
  MTLLibraryErrorUnsupported = 1,
  MTLLibraryErrorInternal = 2,
  MTLLibraryErrorCompileFailure = 3,
  MTLLibraryErrorCompileWarning = 4,
  MTLLibraryErrorFunctionNotFound = 5,
  MTLLibraryErrorFileNotFound = 6,
};

typedef NS_ENUM(NSInteger, MTLLibraryType) {
  MTLLibraryTypeExecutable = 0,
  MTLLibraryTypeDynamic = 1,
};

typedef NS_ENUM(NSUInteger, MTLFunctionType) {
  MTLFunctionTypeVertex = 1,
  MTLFunctionTypeFragment = 2,
  MTLFunctionTypeKernel = 3,
  MTLFunctionTypeVisible = 5,
  MTLFunctionTypeIntersection = 6,
};

typedef NS_ENUM(NSUInteger, MTLDispatchType) {
  MTLDispatchTypeSerial = 0,
  MTLDispatchTypeConcurrent = 1,
};

extern "C" NSErrorDomain _Nonnull const MTLLibraryErrorDomain;

@interface MTLCompileOptions : NSObject <NSCopying> {
 @package
  BOOL _fastMathEnabled;
  MTLLanguageVersion _languageVersion;
  MTLLibraryType _libraryType;
  NSDictionary<NSString*, NSObject*>* _preprocessorMacros;
  BOOL _preserveInvariance;
}
@property(nonatomic) BOOL fastMathEnabled;
@property(nonatomic) MTLLanguageVersion languageVersion;
@property(nonatomic) MTLLibraryType libraryType;
@property(nonatomic, copy) NSDictionary<NSString*, NSObject*>* _Nullable preprocessorMacros;
@property(nonatomic) BOOL preserveInvariance;
@end

@protocol MTLLibrary <NSObject>
@property(readonly, nonatomic) id<MTLDevice> _Nonnull device;
@property(readonly, nonatomic) NSArray<NSString*>* _Nonnull functionNames;
@property(nonatomic, copy) NSString* _Nullable label;
@property(readonly, nonatomic) MTLLibraryType type;
- (id<MTLFunction> _Nullable)newFunctionWithName:(NSString* _Nonnull)functionName;
@end

@protocol MTLFunction <NSObject>
@property(readonly, nonatomic) id<MTLDevice> _Nonnull device;
@property(readonly, nonatomic) MTLFunctionType functionType;
@property(nonatomic, copy) NSString* _Nullable label;
@property(readonly, nonatomic) NSString* _Nonnull name;
@end

@protocol MTLComputePipelineState <NSObject>
@property(readonly, nonatomic) id<MTLDevice> _Nonnull device;
@property(readonly, nonatomic) NSString* _Nullable label;
@property(readonly, nonatomic) NSUInteger maxTotalThreadsPerThreadgroup;
@property(readonly, nonatomic) NSUInteger staticThreadgroupMemoryLength;
@property(readonly, nonatomic) NSUInteger threadExecutionWidth;
@end

@protocol MTLEvent <NSObject>
@property(readonly, nonatomic) id<MTLDevice> _Nullable device;
@property(nonatomic, copy) NSString* _Nullable label;
@end
