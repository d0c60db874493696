/* Stack switch for aarch64, AAPCS64: x19-x28, fp, lr, the low halves of v8-v15 and fpcr are the
 * callee's to keep. */
        .text
        .globl  filch_context_switch
        .hidden filch_context_switch
        .type   filch_context_switch, %function
        .p2align 4
filch_context_switch:                   /* x0: from, x1: to */
        .cfi_startproc
        hint    #34                     /* bti c */
        sub     sp, sp, #176
        .cfi_adjust_cfa_offset 176
        stp     x19, x20, [sp, #0]
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        mrs     x9, fpcr
        str     x9, [sp, #160]
        mov     x9, sp
        str     x9, [x0]
        ldr     x9, [x1]
        mov     sp, x9                  /* the same layout on the other stack */
        ldr     x9, [sp, #160]
        msr     fpcr, x9
        ldp     x19, x20, [sp, #0]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x30, [sp, #80]
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        add     sp, sp, #176
        .cfi_adjust_cfa_offset -176
        ret
        .cfi_endproc
        .size   filch_context_switch, . - filch_context_switch

        .globl  filch_context_start
        .hidden filch_context_start
        .type   filch_context_start, %function
filch_context_start:                    /* first "return" lands here: x19 entry, x20 argument */
        .cfi_startproc
        .cfi_undefined x30              /* unwinders stop: there is no caller */
        hint    #36                     /* bti j */
        mov     x0, x20
        mov     x29, #0
        blr     x19
        brk     #1                      /* entry never returns */
        .cfi_endproc
        .size   filch_context_start, . - filch_context_start

        .section .note.GNU-stack, "", %progbits
