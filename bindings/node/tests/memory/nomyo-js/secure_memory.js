'use strict';

// The secure memory of nomyo-js 0.1.0, made again from what is documented of it: the two classes, what they are called
// with, and what they answer.

class SecureMemory {
  zeroMemory(data) {
    new Uint8Array(data).fill(0);
  }

  getProtectionInfo() {
    return { canLock: false, isPlatformSecure: false, method: 'zero-only', details: 'zeroing only, without a native addon' };
  }
}

class SecureByteContext {
  constructor(data, useSecure = true) {
    this.data = data;
    this.useSecure = useSecure;
    this.memory = new SecureMemory();
  }

  async use(fn) {
    try {
      return await fn(this.data);
    } finally {
      if (this.useSecure) this.memory.zeroMemory(this.data);
    }
  }
}

module.exports = { SecureMemory, SecureByteContext };
