/* A lesson: pages of blocks, read with Next and Back. */
var H5P = window.H5P || {};

H5P.XinqiaoLesson = (function (base) {
  'use strict';

  var el = base.el;
  var ENDING_POINT = 'http://id.tincanapi.com/extension/ending-point';

  var builtIn = {
    'zh-CN': {
      next: '下一页',
      back: '上一页',
      page: '第 :page 页，共 :pages 页',
      progress: '阅读进度',
      finished: '这一课读完了。可以往回翻，也可以进入下一个活动。',
      tip: '小提示',
      caution: '请留意',
      helpNow: '现在就需要帮助？',
      show: '点开看看',
      hide: '收起',
      dos: '可以这样',
      donts: '不要这样',
      dialogue: '对话片段',
    },
    en: {
      next: 'Next',
      back: 'Back',
      page: 'Page :page of :pages',
      progress: 'Reading progress',
      finished: 'You have read the whole lesson. Page back through it, or go on to the next activity.',
      tip: 'Tip',
      caution: 'Take care',
      helpNow: 'Need help now?',
      show: 'Open',
      hide: 'Close',
      dos: 'Do',
      donts: 'Don’t',
      dialogue: 'From a conversation',
    },
  };

  function Lesson(params, contentId, extras) {
    base.begin(this, 'H5P.XinqiaoLesson', params, contentId);
    this.pages = params.pages || [];
    this.say = base.words(params, builtIn);

    var saved = (extras && extras.previousState) || {};
    this.page = Math.min(Math.max(saved.page | 0, 0), Math.max(this.pages.length - 1, 0));
    this.seen = this.pages.map(function (_, page) {
      return !!saved.seen && saved.seen.indexOf(page) >= 0;
    });
    this.open = (saved.open || []).slice();
    this.ticked = (saved.ticked || []).slice();
    this.completed = !!saved.completed;
  }

  base.contentType(Lesson);

  Lesson.prototype.attach = function ($container) {
    var self = this;
    $container.addClass('h5p-xinqiao-lesson');
    this.counter = el('p', { class: 'xq-count', role: 'status', 'data-xq': 'page' });
    this.bar = base.progressBar(this.say('progress'));
    this.body = el('div', { class: 'xq-page' });
    this.done = el('p', { class: 'xq-done', role: 'status' });
    this.backButton = base.button('secondary', 'back', this.say('back'), function () {
      self.turnTo(self.page - 1);
    });
    this.nextButton = base.button('primary', 'next', this.say('next'), function () {
      self.turnTo(self.page + 1);
    });
    $container[0].appendChild(
      el('div', { class: 'xq xq-lesson', lang: base.languageOf(this.params), 'data-xinqiao': 'lesson' }, [
        el('div', { class: 'xq-top' }, [
          el('p', { class: 'xq-top-title', text: this.params.title }),
          this.counter,
        ]),
        this.bar,
        this.body,
        this.done,
        el('div', { class: 'xq-pager' }, [this.backButton, this.nextButton]),
      ]),
    );
    this.setActivityStarted();
    this.show();
  };

  Lesson.prototype.turnTo = function (page) {
    if (page < 0 || page >= this.pages.length) return;
    this.page = page;
    this.show();
    base.moveTo(this.heading);
    base.saveSoon(this);
  };

  Lesson.prototype.show = function () {
    var self = this;
    var page = this.pages[this.page];
    if (!page) return;
    var last = this.page === this.pages.length - 1;
    this.heading = el('h2', { tabindex: '-1', text: page.title });
    this.body.textContent = '';
    this.body.appendChild(this.heading);
    (page.blocks || []).forEach(function (block, at) {
      var node = self.block(block, self.page + '.' + at);
      if (node) self.body.appendChild(node);
    });
    this.counter.textContent = this.say('page', { page: this.page + 1, pages: this.pages.length });
    this.bar.value = (this.page + 1) / this.pages.length;
    this.backButton.hidden = this.page === 0;
    this.nextButton.hidden = last;
    this.noteSeen();
    this.done.textContent = last && this.completed ? this.say('finished') : '';
    this.trigger('resize');
  };

  Lesson.prototype.noteSeen = function () {
    if (!this.seen[this.page]) {
      this.seen[this.page] = true;
      var event = this.createXAPIEventTemplate('progressed');
      var definition = event.data.statement.object.definition;
      definition.extensions = definition.extensions || {};
      definition.extensions[ENDING_POINT] = this.page + 1;
      this.trigger(event);
    }
    var whole = this.seen.every(Boolean);
    if (whole && !this.completed && this.page === this.pages.length - 1) {
      this.completed = true;
      var completed = this.createXAPIEventTemplate('completed');
      completed.data.statement.result = {
        completion: true,
        duration: base.durationSince(this.activityStartTime),
      };
      this.trigger(completed);
    }
  };

  Lesson.prototype.block = function (block, id) {
    var draw = this.draw[block.type];
    return draw && block[block.type] !== undefined ? draw.call(this, block[block.type], id) : null;
  };

  Lesson.prototype.draw = {
    heading: function (text) {
      return el('h3', { text: text });
    },

    text: function (html) {
      return base.rich(html);
    },

    callout: function (callout) {
      var kind = callout.kind || 'tip';
      var help = kind === 'help-now';
      var title =
        callout.title ||
        (help && this.params.help && this.params.help.title) ||
        this.say(help ? 'helpNow' : kind);
      return el(
        'aside',
        { class: 'xq-callout xq-callout-' + kind, 'aria-label': title, 'data-xq': 'callout-' + kind },
        [
          el('p', { class: 'xq-callout-title' }, [base.icon(kind), title]),
          el('div', { class: 'xq-callout-body' }, [
            base.rich(callout.text),
            help ? base.helpNumbers(this.params.help) : null,
          ]),
        ],
      );
    },

    reveal: function (reveal, id) {
      var self = this;
      return el(
        'div',
        { class: 'xq-reveal' },
        [reveal.intro ? base.rich(reveal.intro) : null].concat(
          (reveal.cards || []).map(function (card, at) {
            return self.revealCard(card, id + '.' + at);
          }),
        ),
      );
    },

    checklist: function (checklist, id) {
      var self = this;
      return el('div', { class: 'xq-checklist' }, [
        checklist.intro ? base.rich(checklist.intro) : null,
        el(
          'ul',
          {},
          (checklist.items || []).map(function (text, at) {
            return self.checkItem(text, id + '.' + at);
          }),
        ),
      ]);
    },

    dialogue: function (dialogue) {
      return el('figure', { class: 'xq-dialogue', 'aria-label': dialogue.scene || this.say('dialogue') }, [
        dialogue.scene ? el('figcaption', { text: dialogue.scene }) : null,
        el(
          'ul',
          {},
          (dialogue.lines || []).map(function (line) {
            return el('li', { class: 'xq-line xq-line-' + (line.role || 'student') }, [
              el('span', { class: 'xq-speaker', text: line.speaker }),
              el('p', { class: 'xq-words', text: line.text }),
              line.note ? el('p', { class: 'xq-note', text: line.note }) : null,
            ]);
          }),
        ),
      ]);
    },

    compare: function (compare) {
      var self = this;
      function side(kind, title, items) {
        return el('div', { class: 'xq-side xq-side-' + kind }, [
          el('h3', {}, [
            base.icon(kind === 'do' ? 'check' : 'cross'),
            title || self.say(kind === 'do' ? 'dos' : 'donts'),
          ]),
          el(
            'ul',
            {},
            (items || []).map(function (text) {
              return el('li', { text: text });
            }),
          ),
        ]);
      }
      return el('div', { class: 'xq-compare' }, [
        side('do', compare.doTitle, compare.doItems),
        side('dont', compare.dontTitle, compare.dontItems),
      ]);
    },

    image: function (image) {
      if (!image.file || !image.file.path) return null;
      return el('figure', { class: 'xq-image' }, [
        el('img', {
          src: H5P.getPath(image.file.path, this.contentId),
          alt: image.alt || '',
          on: { load: this.trigger.bind(this, 'resize') },
        }),
        image.caption ? el('figcaption', { text: image.caption }) : null,
      ]);
    },
  };

  Lesson.prototype.revealCard = function (card, id) {
    var self = this;
    var panelId = 'xq-' + this.contentId + '-' + id.replace(/\./g, '-');
    var state = el('span', { class: 'xq-card-state' });
    var toggle = el(
      'button',
      { type: 'button', class: 'xq-card-front', 'aria-controls': panelId, 'data-action': 'reveal' },
      [el('span', { text: card.front }), state, base.icon('plus')],
    );
    var back = el('div', { id: panelId, class: 'xq-card-back' }, [base.rich(card.back)]);
    function draw() {
      var open = self.open.indexOf(id) >= 0;
      toggle.setAttribute('aria-expanded', String(open));
      state.textContent = self.say(open ? 'hide' : 'show');
      back.hidden = !open;
    }
    toggle.addEventListener('click', function () {
      self.flip(self.open, id);
      draw();
    });
    draw();
    return el('div', { class: 'xq-card' }, [toggle, back]);
  };

  Lesson.prototype.checkItem = function (text, id) {
    var self = this;
    var box = el('input', {
      type: 'checkbox',
      'data-action': 'tick',
      on: {
        change: function () {
          self.flip(self.ticked, id);
        },
      },
    });
    box.checked = this.ticked.indexOf(id) >= 0;
    return el('li', {}, [el('label', {}, [box, el('span', { text: text })])]);
  };

  /** Adds an id to a list of ids, or takes it out. */
  Lesson.prototype.flip = function (ids, id) {
    var at = ids.indexOf(id);
    if (at < 0) ids.push(id);
    else ids.splice(at, 1);
    base.saveSoon(this);
    this.trigger('resize');
  };

  Lesson.prototype.getCurrentState = function () {
    return {
      page: this.page,
      seen: this.seen.reduce(function (pages, seen, page) {
        return seen ? pages.concat(page) : pages;
      }, []),
      open: this.open.slice(),
      ticked: this.ticked.slice(),
      completed: this.completed,
    };
  };

  return Lesson;
})(H5P.XinqiaoBase);
