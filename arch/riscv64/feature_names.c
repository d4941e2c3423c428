/* SPDX-License-Identifier: MIT */
#include "arch.h"

const char arch_feature_names[] =
	"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z\0"
	"ima\0"
	"fd,c,v,zba,zbb,zbs,zicboz,zbc,zbkb,zbkc,zbkx,zknd,zkne,zknh,zksed,zksh,zkt,zvbb,zvbc,zvkb,zvkg,zvkned,zvknha,zvknhb,"
	"zvksed,zvksh,zvkt,zfh,zfhmin,zihintntl,zvfh,zvfhmin,zfa,ztso,zacas,zicond,zihintpause,zve32x,zve32f,zve64x,zve64f,"
	"zve64d,zimop,zca,zcb,zcd,zcf,zcmop,zawrs,supm,zicntr,zihpm,zfbfmin,zvfbfmin,zvfbfwma,zicbom,zaamo,zalrsc,zabha\0"
	",,,,vlen128,vlen256,vlen512,vlen1024,vlen2048,vlen4096,vlen8192,vlen16384,vlen32768,vlen65536";
