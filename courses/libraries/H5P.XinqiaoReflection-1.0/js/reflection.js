/*
 * Questions to write about for oneself. What is written goes into the learner's own saved state and nowhere else: no statement
 * carries it, not even how long it is.
 */
var H5P = window.H5P || {};

H5P.XinqiaoReflection = (function (base) {
  'use strict';

  var el = base.el;
  /** Well within what a host keeps of one content. */
  var MOST = 4000;

  var builtIn = {
    'zh-CN': {
      count: '第 :at 题，共 :all 题',
      progress: '书写进度',
      private: '只有您自己看得到',
      privateText: '写下的文字只保存在您自己的学习进度里，不评分，不进入报表，学校和管理员都看不到。',
      noNames: '请不要写出学生的真实姓名。',
      label: '写给自己',
      placeholder: '想到什么就写什么，几个字也好。',
      starter: '可以这样开头',
      left: '还可以写 :left 个字',
      back: '上一题',
      next: '下一题',
      finish: '写好了',
      skip: '先不写，继续',
      done: '您的思考',
      doneText: '谢谢您停下来想一想。这些文字会留在这里，随时可以回来看，也可以改。',
      nothing: '（没有写）',
      edit: '修改',
      clear: '全部擦掉',
      cleared: '已经擦掉了。',
      sure: '确定擦掉？不能找回。',
      keep: '不擦了',
    },
    en: {
      count: 'Question :at of :all',
      progress: 'Progress',
      private: 'Only you can see this',
      privateText:
        'What you write is kept with your own progress alone. It is not scored, is in no report, and neither your school nor an administrator sees it.',
      noNames: 'Please do not write any student’s real name.',
      label: 'For yourself',
      placeholder: 'Whatever comes to mind. A few words will do.',
      starter: 'A way to begin',
      left: ':left characters left',
      back: 'Back',
      next: 'Next',
      finish: 'Done',
      skip: 'Go on without writing',
      done: 'What you thought',
      doneText:
        'Thank you for taking the time. Your words stay here; come back to read or change them whenever you like.',
      nothing: '(nothing written)',
      edit: 'Change',
      clear: 'Erase everything',
      cleared: 'Everything is erased.',
      sure: 'Erase it? It cannot be brought back.',
      keep: 'Keep it',
    },
  };

  /** A decorative padlock; what it means stands beside it. */
  function lock() {
    var svg = base.icon('check');
    svg.setAttribute('class', 'xq-icon');
    svg.firstChild.setAttribute('d', 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3');
    return svg;
  }

  function Reflection(params, contentId, extras) {
    base.begin(this, 'H5P.XinqiaoReflection', params, contentId);
    this.prompts = params.prompts || [];
    this.say = base.words(params, builtIn);
    this.restore((extras && extras.previousState) || {});
  }

  base.contentType(Reflection);

  /** `texts[prompt]` is what was written; `at` is the question that is open, or their number at the end. */
  Reflection.prototype.restore = function (saved) {
    this.texts = this.prompts.map(function (_, at) {
      return String((saved.texts || [])[at] || '').slice(0, MOST);
    });
    this.at = Math.min(Math.max(saved.at | 0, 0), this.prompts.length);
    this.completed = !!saved.completed;
  };

  Reflection.prototype.attach = function ($container) {
    $container.addClass('h5p-xinqiao-reflection');
    this.counter = el('p', { class: 'xq-count', role: 'status', 'data-xq': 'count' });
    this.bar = base.progressBar(this.say('progress'));
    this.body = el('div', { class: 'xq-body' });
    $container[0].appendChild(
      el(
        'div',
        { class: 'xq xq-reflection', lang: base.languageOf(this.params), 'data-xinqiao': 'reflection' },
        [
          el('div', { class: 'xq-top' }, [
            el('p', { class: 'xq-top-title', text: this.params.title }),
            this.counter,
          ]),
          this.bar,
          this.body,
          el('div', { class: 'xq-foot' }, [base.helpPanel(this.params.help)]),
        ],
      ),
    );
    this.setActivityStarted();
    this.show();
  };

  Reflection.prototype.goTo = function (at) {
    this.at = at;
    this.show();
    base.moveTo(this.heading);
    base.saveSoon(this);
  };

  Reflection.prototype.show = function () {
    this.body.textContent = '';
    this.bar.value = this.prompts.length ? this.at / this.prompts.length : 1;
    if (this.at >= this.prompts.length) this.showEnd();
    else this.showPrompt(this.at);
    this.trigger('resize');
  };

  Reflection.prototype.privacy = function () {
    return el(
      'aside',
      { class: 'xq-callout xq-private', 'aria-label': this.say('private'), 'data-xq': 'private' },
      [
        el('p', { class: 'xq-callout-title' }, [lock(), this.say('private')]),
        el('div', { class: 'xq-callout-body' }, [
          el('p', { text: this.say('privateText') }),
          el('p', { text: this.say('noNames') }),
        ]),
      ],
    );
  };

  Reflection.prototype.showPrompt = function (index) {
    var self = this;
    var prompt = this.prompts[index];
    var last = index === this.prompts.length - 1;
    var id = 'xq-' + this.contentId + '-reflect-' + index;
    this.counter.textContent = this.say('count', { at: index + 1, all: this.prompts.length });
    this.heading = el('h2', { tabindex: '-1', id: id + '-question', text: prompt.question });
    var left = el('p', { class: 'xq-left', role: 'status' });
    var next = base.button('primary', 'next', '', function () {
      self.goTo(index + 1);
    });
    function draw() {
      var text = self.texts[index];
      next.textContent = self.say(last ? 'finish' : text.trim() ? 'next' : 'skip');
      // Said only where it begins to matter, or a screen reader would speak at every letter.
      left.textContent = MOST - text.length <= 200 ? self.say('left', { left: MOST - text.length }) : '';
    }
    var area = el('textarea', {
      id: id,
      class: 'xq-write',
      rows: 6,
      maxlength: MOST,
      'aria-labelledby': id + '-question',
      placeholder: this.say('placeholder'),
      autocomplete: 'off',
      'data-write': index,
      on: {
        input: function () {
          self.texts[index] = area.value;
          draw();
          base.saveSoon(self);
        },
      },
    });
    area.value = this.texts[index];
    if (index === 0) {
      if (this.params.intro) this.body.appendChild(base.rich(this.params.intro, 'xq-intro'));
    }
    [
      this.heading,
      prompt.hint ? base.rich(prompt.hint, 'xq-hint') : null,
      prompt.starter
        ? el('p', { class: 'xq-starter' }, [
            el('span', { text: this.say('starter') }),
            ' ',
            el('em', { text: prompt.starter }),
          ])
        : null,
      area,
      left,
      el('div', { class: 'xq-actions' }, [
        index > 0
          ? base.button('secondary', 'back', this.say('back'), function () {
              self.goTo(index - 1);
            })
          : null,
        next,
      ]),
      this.privacy(),
    ].forEach(function (node) {
      if (node) self.body.appendChild(node);
    });
    draw();
  };

  Reflection.prototype.showEnd = function () {
    var self = this;
    this.counter.textContent = '';
    this.heading = el('h2', { tabindex: '-1', text: this.say('done') });
    var told = el('p', { role: 'status', 'data-xq': 'feedback' });
    [
      this.heading,
      el('p', { text: this.params.closing ? base.plain(this.params.closing) : this.say('doneText') }),
      el(
        'ol',
        { class: 'xq-written' },
        this.prompts.map(function (prompt, at) {
          return el('li', {}, [
            el('h3', { text: prompt.question }),
            el('p', {
              class: self.texts[at].trim() ? 'xq-own' : 'xq-none',
              text: self.texts[at].trim() || self.say('nothing'),
            }),
            base.button('secondary', 'edit', self.say('edit'), function () {
              self.goTo(at);
            }),
          ]);
        }),
      ),
      told,
      this.eraser(told),
      this.privacy(),
    ].forEach(function (node) {
      if (node) self.body.appendChild(node);
    });
    if (!this.completed) {
      this.completed = true;
      var event = this.createXAPIEventTemplate('completed');
      event.data.statement.result = {
        completion: true,
        duration: base.durationSince(this.activityStartTime),
      };
      this.trigger(event);
      base.saveSoon(this);
    }
  };

  /** Erasing asks once more, in the page itself: a content has no dialogues of the browser. */
  Reflection.prototype.eraser = function (told) {
    var self = this;
    if (!this.getAnswerGiven()) return null;
    var place = el('div', { class: 'xq-actions' });
    function ask() {
      place.textContent = '';
      place.appendChild(base.button('secondary', 'clear', self.say('clear'), confirm));
    }
    function confirm() {
      place.textContent = '';
      var keep = base.button('primary', 'keep', self.say('keep'), function () {
        ask();
        told.textContent = '';
        place.firstChild.focus();
      });
      place.appendChild(keep);
      place.appendChild(
        base.button('secondary', 'clear-all', self.say('clear'), function () {
          self.texts = self.prompts.map(function () {
            return '';
          });
          self.show();
          self.body.querySelector('[data-xq=feedback]').textContent = self.say('cleared');
          base.moveTo(self.heading);
          base.saveSoon(self);
        }),
      );
      told.textContent = self.say('sure');
      keep.focus();
    }
    ask();
    return place;
  };

  // The contract of H5P. There is no score, and no statement says what was written.

  Reflection.prototype.getAnswerGiven = function () {
    return this.texts.some(function (text) {
      return !!text.trim();
    });
  };

  Reflection.prototype.resetTask = function () {
    this.restore({});
    this.activityStartTime = Date.now();
    if (this.body) this.show();
  };

  Reflection.prototype.getXAPIData = function () {
    return { statement: this.createXAPIEventTemplate('completed').data.statement };
  };

  Reflection.prototype.getCurrentState = function () {
    return { at: this.at, texts: this.texts.slice(), completed: this.completed };
  };

  return Reflection;
})(H5P.XinqiaoBase);
