#pragma once
#import <CoreGraphics/CGColorSpace.h>

typedef struct CGColorConversionInfo* CGColorConversionInfoRef;

// Null where a space is not calibrated, as those of devices are.
extern "C" CGColorConversionInfoRef _Nullable CGColorConversionInfoCreate(CGColorSpaceRef _Nullable source, CGColorSpaceRef _Nullable destination);
