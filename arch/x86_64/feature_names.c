/* SPDX-License-Identifier: MIT */
#include "arch.h"

const char arch_feature_names[] =
	"x87,sse,avx,bndregs,bndcsr,opmask,zmm_hi256,hi16_zmm,,pkru,,,,,,,,xtilecfg,xtiledata,apx\0"
	"ring3mwait,fsgsbase\0"
	"pni,pclmulqdq,,,,,,,,ssse3,,,fma,cx16,,,,,,sse4_1,sse4_2,,movbe,popcnt,,aes,xsave,osxsave,avx,f16c,rdrand\0"
	"fsgsbase,,,bmi1,hle,avx2,,,bmi2,erms,,rtm,,,,,avx512f,avx512dq,rdseed,adx,,avx512ifma,,clflushopt,clwb,,avx512pf,"
	"avx512er,avx512cd,sha_ni,avx512bw,avx512vl\0"
	"prefetchwt1,avx512vbmi,,pku,ospke,waitpkg,avx512_vbmi2,shstk,gfni,vaes,vpclmulqdq,avx512_vnni,avx512_bitalg,,"
	"avx512_vpopcntdq,,,,,,,,rdpid,,,cldemote,,movdiri,movdir64b,enqcmd\0"
	",,avx512_4vnniw,avx512_4fmaps,fsrm,uintr,,,avx512_vp2intersect,,,,,,serialize,,tsxldtrk,,,,ibt,,amx_bf16,avx512_fp16,"
	"amx_tile,amx_int8\0"
	"sha512,sm3,sm4,,avx_vnni,avx512_bf16,,cmpccxadd,,,fzrm,fsrs,fsrc,,,,,,,,,amx_fp16,,avx_ifma,,,lam\0"
	",,,,avx_vnni_int8,avx_ne_convert,,,amx_complex,,avx_vnni_int16,,,,prefetchi,user_msr,,,,avx10,,apx_f\0"
	"xsaveopt,xsavec,xgetbv1\0"
	"lahf_lm,,,,,abm,sse4a,misalignsse,3dnowprefetch,,,xop,,,,lwp,fma4,,,,,tbm,,,,,,,,mwaitx\0"
	",,,,,,,,,,,,,,,,,,,,,,mmxext,,,fxsr_opt,,rdtscp,,,3dnowext,3dnow\0"
	"clzero,,xsaveerptr,,rdpru,,,,mcommit";
